/* A warehouse whose deliveries and sales change the revision under the lock, while the auditing clerk reads it without.
 *
 * clean: no
 * run: race
 */
#include "inventory.h"

#include <stdio.h>

#define ROUNDS 3000

typedef struct {
    const char *title;
    void *(*main)(void *);
    long outcome;
    inventory_t *inventory;
} clerk_t;

static void *deliver(void *argument)
{
    clerk_t *clerk = argument;

    for (int i = 0; i < ROUNDS; i++) {
        inventory_add(clerk->inventory, i % ARTICLES, 3);
        clerk->outcome += 3;
    }
    return NULL;
}

static void *sell(void *argument)
{
    clerk_t *clerk = argument;

    for (int i = 0; i < ROUNDS; i++)
        clerk->outcome += inventory_remove(clerk->inventory, i % ARTICLES, 2);
    return NULL;
}

static void *audit(void *argument)
{
    clerk_t *clerk = argument;
    long last = 0;

    for (int i = 0; i < ROUNDS; i++) {
        long revision = inventory_audit(clerk->inventory);

        if (revision != last)
            clerk->outcome++;
        last = revision;
    }
    return NULL;
}

int main(void)
{
    inventory_t inventory = { .lock = PTHREAD_MUTEX_INITIALIZER };
    clerk_t clerks[] = {
        { "delivered", deliver, 0, &inventory },
        { "sold", sell, 0, &inventory },
        { "changes seen", audit, 0, &inventory },
    };
    pthread_t threads[3];
    long left = 0;

    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, clerks[i].main, &clerks[i]);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        printf("%s: %ld\n", clerks[i].title, clerks[i].outcome);
    }
    for (int i = 0; i < ARTICLES; i++)
        left += inventory.quantity[i];
    pthread_mutex_destroy(&inventory.lock);
    printf("%ld left\n", left);
    return 0;
}
