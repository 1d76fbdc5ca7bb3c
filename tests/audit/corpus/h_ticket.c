/* A serial-number office: a ticket lock of two C11 atomics, taken by a scope guard, protects the register of numbers.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#define CLERKS 4
#define FORMS 300
#define OFFICES 3

typedef struct {
    atomic_uint next;
    atomic_uint serving;
} ticket_lock;

static inline void ticket_acquire(ticket_lock *t)
{
    unsigned mine = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed);

    while (atomic_load_explicit(&t->serving, memory_order_acquire) != mine)
        sched_yield();
}

static inline void ticket_release(ticket_lock *t)
{
    unsigned now = atomic_load_explicit(&t->serving, memory_order_relaxed);

    atomic_store_explicit(&t->serving, now + 1, memory_order_release);
}

static inline void ticket_leave(ticket_lock **guard)
{
    ticket_release(*guard);
}

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define GUARD(lock)                                                                                                    \
    ticket_lock *PASTE(guard_, __LINE__) __attribute__((cleanup(ticket_leave), unused)) = (ticket_acquire(lock), (lock))

static struct {
    ticket_lock desk;
    unsigned long last_serial;
    unsigned issued[OFFICES];
} registry;

static unsigned long issue(int office)
{
    GUARD(&registry.desk);
    registry.last_serial += 7;
    registry.issued[office]++;
    return registry.last_serial;
}

static void *clerk(void *arg)
{
    int office = *(const int *)arg;
    unsigned long before = 0;

    for (int form = 0; form < FORMS; form++) {
        unsigned long serial = issue((office + form) % OFFICES);

        if (serial <= before)
            return (void *)1;
        before = serial;
    }
    return NULL;
}

int main(void)
{
    pthread_t clerks[CLERKS];
    int office[CLERKS];
    void *wrong;
    int bad = 0;

    for (int c = 0; c < CLERKS; c++) {
        office[c] = c % OFFICES;
        pthread_create(&clerks[c], NULL, clerk, &office[c]);
    }
    for (int c = 0; c < CLERKS; c++) {
        pthread_join(clerks[c], &wrong);
        bad += wrong != NULL;
    }
    printf("last serial %lu, offices %u %u %u\n", registry.last_serial, registry.issued[0], registry.issued[1],
           registry.issued[2]);
    return bad;
}
