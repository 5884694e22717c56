# shellcheck shell=bash
# For `load helpers/modes`, after common: the same with a process for each
# connection and with one for all.

# over_sockets COMMAND...: with a server of either kind for it, with the
# arguments ${ARGS[@]}; which one is in $SERVE_MODE.
over_sockets() {
  for SERVE_MODE in accept listen; do
    serve_start "${ARGS[@]}"
    OVER=socket "$@"
    serve_stop
  done
}

# in_both_modes COMMAND...: with a process for a client, over two pipes and over
# a socket, and with one process for all.
in_both_modes() {
  "$@"
  over_sockets "$@"
}

# serve_both [ARG...]: for setup_file: a server of either kind, for all tests.
serve_both() {
  local file
  for SERVE_MODE in accept listen; do
    serve_start "$@"
    for file in out err; do
      mv "$(tmpdir)/serve.$file" "$(tmpdir)/serve.$SERVE_MODE.$file"
    done
    export "PORT_$SERVE_MODE=$PORT" "GROUP_$SERVE_MODE=$SERVE_GROUP"
  done
}

# both COMMAND...: with either of them, as over_sockets.
both() {
  local port group
  for SERVE_MODE in accept listen; do
    port=PORT_$SERVE_MODE group=GROUP_$SERVE_MODE
    PORT=${!port} SERVE_GROUP=${!group} OVER=socket "$@"
  done
}

# each_way COMMAND...: over two pipes, too, with the arguments ${ARGS[@]}.
each_way() {
  "$@"
  both "$@"
}
