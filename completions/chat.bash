# Completion of the chat programs for bash: options, the words that some of them
# take, and files. Channels are not completed: that would mean to search Redis.

_chat_options() {
  local common='-u --url --user --password-file --prefix --field -t --timeout
    --retry --config -q --quiet -v --verbose -h --help -V --version'
  local position='-o --offset -n --lines -a --after -S --since -U --until'
  local keep='--maxlen --maxage --ttl'
  local limits='--event -c --count -w --idle -W --deadline --fail-empty --on-gap
    -B --batch'
  local output='-j --json --ndjson -0 --null -D --delimiter -K --key-delimiter
    -F --format --escape'

  case $1 in
    chat-pub)
      echo "-j --json --ndjson -0 --null -D --delimiter -s --slurp
        -K --key-delimiter --skip-empty -E --keep-going -c --count -w --idle
        -W --deadline -k --key -H --header --event --max-size -M --no-create
        $keep --once --once-for -B --batch --linger -F --format --escape $common"
      ;;
    chat-tail)
      echo "$position -e --exit-at-end --cursor-file $limits $output $common"
      ;;
    chat-replay)
      echo "$position -r --reverse -f --follow $limits $output $common"
      ;;
    chat-sse-serve)
      echo "-i --inetd --publish --page --max-channels --heartbeat
        --heartbeat-event --event-type --outage-hold --stall
        --request-timeout --max-size -l --listen --reuse-port --max-conns
        --max-conns-per-peer --rate-limit --once-for
        --max-lifetime --drain --stats --token-file --token-cookie --auth-cmd
        --cors --trust-forwarded --history-cmd --snapshot-cmd
        --command-timeout --command-size
        $position $keep $common"
      ;;
  esac
}

# What may follow option $1: words, or FILE.
_chat_values() {
  case $1 in
    -u | --url) echo 'redis:// unix://' ;;
    -o | --offset) echo 'beginning end s@ e@' ;;
    -n | --lines) echo all ;;
    -S | --since | -U | --until) echo now ;;
    -F | --format) echo 'raw id log json' ;;
    --escape) echo 'auto always never' ;;
    --on-gap) echo 'report stop' ;;
    --retry) echo inf ;;
    --config) echo 'none FILE' ;;
    -l | --listen) echo '127.0.0.1:8080 FILE' ;;
    --password-file | --token-file | --cursor-file | --page) echo FILE ;;
    --auth-cmd | --history-cmd | --snapshot-cmd) echo FILE ;;
  esac
}

_chat() {
  local word=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
  local words

  # --option=word comes as three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $option == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  words=$(_chat_values "$option")
  if [[ -z $words && $word == -* ]]; then
    words=$(_chat_options "${1##*/}")
  fi
  if [[ $words == *FILE ]]; then
    words=${words%FILE}
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -W "$words" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  fi
}

complete -F _chat chat-pub chat-tail chat-replay chat-sse-serve
