# Completion of the chat programs for fish: options, the words that some of them
# take, and files. Channels are not completed: that would mean to search Redis.

for program in chat-pub chat-tail chat-replay chat-sse-serve
    complete -c $program -f
    complete -c $program -s u -l url -x -a 'redis:// unix://' -d 'Redis server'
    complete -c $program -l user -x -d 'User of Redis'
    complete -c $program -l password-file -r -F -d 'Read the password from a file'
    complete -c $program -l prefix -x -d 'What precedes a name in its key'
    complete -c $program -l field -x -d 'Field of the payload'
    complete -c $program -s t -l timeout -x -d 'For connecting and any reply'
    complete -c $program -l retry -x -a inf -d 'How long to try to connect'
    complete -c $program -l config -r -F -a none -d 'Configuration file'
    complete -c $program -s q -l quiet -d 'Errors only; twice, nothing'
    complete -c $program -s v -l verbose -d 'Say more; twice, all'
    complete -c $program -s h -l help -d 'Print a summary of the options'
    complete -c $program -s V -l version -d 'Print the version'
end

for program in chat-tail chat-replay chat-sse-serve
    complete -c $program -s o -l offset -x -a 'beginning end s@ e@' -d 'Where to start or to end'
    complete -c $program -s n -l lines -x -a all -d 'Start with the last messages'
    complete -c $program -s a -l after -x -d 'Start behind this cursor'
    complete -c $program -s S -l since -x -a now -d 'Start at this time'
    complete -c $program -s U -l until -x -a now -d 'End before this time'
end

for program in chat-pub chat-tail chat-replay
    complete -c $program -s c -l count -x -d 'Stop after so many messages'
    complete -c $program -s w -l idle -x -d 'Stop when nothing comes'
    complete -c $program -s W -l deadline -x -d 'Stop after this time'
    complete -c $program -s B -l batch -x -d 'Most messages at a time'
    complete -c $program -s j -l json -d 'A JSON envelope a line'
    complete -c $program -l ndjson -d 'A JSON envelope a line'
    complete -c $program -s 0 -l null -d 'Messages end with NUL'
    complete -c $program -s D -l delimiter -x -d 'Messages end with a string'
    complete -c $program -s K -l key-delimiter -x -d 'Key, string and payload'
    complete -c $program -s F -l format -x -a 'raw id log json' -d Format
    complete -c $program -l escape -x -a 'auto always never' -d 'Control characters as \xNN'
end

for program in chat-tail chat-replay
    complete -c $program -l event -x -d 'Only messages of this type'
    complete -c $program -l fail-empty -d 'Exit 1 if nothing was printed'
    complete -c $program -l on-gap -x -a 'report stop' -d 'When messages are missing'
end

for program in chat-pub chat-sse-serve
    complete -c $program -l max-size -x -d 'Largest message'
    complete -c $program -l maxlen -x -d 'Keep the newest messages'
    complete -c $program -l maxage -x -d 'Keep the messages of this time'
    complete -c $program -l ttl -x -d 'Drop the channel so long after its last message'
end

complete -c chat-pub -s s -l slurp -d 'All of standard input is one message'
complete -c chat-pub -l skip-empty -d 'Do not publish empty messages'
complete -c chat-pub -s E -l keep-going -d 'Go on after what was refused'
complete -c chat-pub -s k -l key -x -d 'Key of every message'
complete -c chat-pub -s H -l header -x -d 'Add a field to every message'
complete -c chat-pub -l event -x -d 'Type of every message'
complete -c chat-pub -s M -l no-create -d 'Only if the channel exists'
complete -c chat-pub -l once -x -d 'Publish at most once per key'
complete -c chat-pub -l once-for -x -d 'How long the key is remembered'
complete -c chat-pub -l linger -x -d 'How long a message may wait for others'

complete -c chat-tail -s e -l exit-at-end -d 'Stop at the end'
complete -c chat-tail -l cursor-file -r -F -d 'Start after the cursor in a file, keep it there'

complete -c chat-replay -s r -l reverse -d 'Newest first'
complete -c chat-replay -s f -l follow -d 'Go on live'

complete -c chat-sse-serve -s i -l inetd -d 'Serve standard input and output'
complete -c chat-sse-serve -l publish -d 'Accept messages'
complete -c chat-sse-serve -l page -r -F -d 'HTML to serve as /'
complete -c chat-sse-serve -l max-channels -x -d 'Most channels of one stream'
complete -c chat-sse-serve -l heartbeat -x -d 'Send a comment when idle'
complete -c chat-sse-serve -l heartbeat-event -x -d 'Send this event when idle'
complete -c chat-sse-serve -l event-type -x -d 'Type of messages without one'
complete -c chat-sse-serve -l outage-hold -x -d 'How long a new client waits for Redis'
complete -c chat-sse-serve -l stall -x -d 'Drop a client that takes nothing'
complete -c chat-sse-serve -l request-timeout -x -d 'For head and body of a request'
complete -c chat-sse-serve -s l -l listen -r -F -d 'Serve all who come to [HOST:]PORT or a path'
complete -c chat-sse-serve -l reuse-port -d 'Share the ports of -l'
complete -c chat-sse-serve -l max-conns -x -d 'Most clients at a time'
complete -c chat-sse-serve -l max-conns-per-peer -x -d 'Most clients from one address'
complete -c chat-sse-serve -l once-for -x -d 'How long ids of messages are remembered'
complete -c chat-sse-serve -l rate-limit -x -d 'Most messages from one address: N/s, N/m or N/h'
complete -c chat-sse-serve -l max-lifetime -x -d 'End a stream after this time'
complete -c chat-sse-serve -l drain -x -d 'When stopped, end the streams over this time'
complete -c chat-sse-serve -l stats -d 'Answer GET /metrics and /stats'
complete -c chat-sse-serve -l token-file -r -F -d 'Who may read and write what'
complete -c chat-sse-serve -l token-cookie -x -d 'Take the token from this cookie, too'
complete -c chat-sse-serve -l cors -x -a '*' -d 'Let pages of this origin read the answers'
complete -c chat-sse-serve -l trust-forwarded -d 'A proxy says who asks'
complete -c chat-sse-serve -l auth-cmd -r -F -d 'Ask this command about each request'
complete -c chat-sse-serve -l history-cmd -r -F -d 'Run this for what was before'
complete -c chat-sse-serve -l snapshot-cmd -r -F -d 'The same for a client without a cursor'
complete -c chat-sse-serve -l command-timeout -x -d 'How long these two may run'
complete -c chat-sse-serve -l command-size -x -d 'The most that they may print'
