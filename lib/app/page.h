#ifndef APP_PAGE_H
#define APP_PAGE_H

#include "app/client.h"

/*
 * Answer with the HTML file of that path, which is read each time, so that an
 * edit shows at the next load.
 */
void page_answer(struct client *c, const char *path);

#endif
