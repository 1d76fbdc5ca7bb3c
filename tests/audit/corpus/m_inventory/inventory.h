#ifndef INVENTORY_H
#define INVENTORY_H

#include <pthread.h>

#define ARTICLES 8

typedef struct {
    pthread_mutex_t lock;
    int quantity[ARTICLES];
    long revision; /* expect: CR001 #1 */
} inventory_t;

void inventory_add(inventory_t *inventory, int article, int amount);
int inventory_remove(inventory_t *inventory, int article, int amount);
long inventory_audit(const inventory_t *inventory);

#endif
