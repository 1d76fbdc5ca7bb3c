#include "inventory.h"

void inventory_add(inventory_t *inventory, int article, int amount)
{
    pthread_mutex_lock(&inventory->lock);
    inventory->quantity[article] += amount;
    inventory->revision++; /* expect: CR001 #1 */
    pthread_mutex_unlock(&inventory->lock);
}

int inventory_remove(inventory_t *inventory, int article, int amount)
{
    int removed = 0;

    pthread_mutex_lock(&inventory->lock);
    if (inventory->quantity[article] >= amount) {
        inventory->quantity[article] -= amount;
        inventory->revision++; /* expect: CR001 #1 */
        removed = amount;
    }
    pthread_mutex_unlock(&inventory->lock);
    return removed;
}

long inventory_audit(const inventory_t *inventory)
{
    return inventory->revision; /* expect: CR001 #1 */
}
