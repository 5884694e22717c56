#ifndef IO_COMMAND_IMPL_H
#define IO_COMMAND_IMPL_H

/* What the parts of io/command share, and nobody else. */

#include "io/command.h"

/* Fill c->text. 0, or errno. */
int command_set_text(
    struct command *c, const char *line, const struct command_var *vars);

/*
 * Start it, which sets c->pid and c->fd. 0, or errno: then there is neither a
 * process nor a pipe.
 */
int command_launch(struct command *c);

#endif
