#ifndef STOCK_H
#define STOCK_H

void stock_open(int pieces);
int stock_take(int pieces);
void stock_close(void);

#endif
