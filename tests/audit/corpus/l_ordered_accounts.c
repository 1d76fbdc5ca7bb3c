/* Transfers between random accounts: both locks are always taken in the order of the account numbers, whatever the direction.
 *
 * clean: yes
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define ACCOUNTS 5
#define TELLERS 4
#define TRANSFERS 3000

struct account {
    pthread_mutex_t mutex;
    long balance;
};

static struct account accounts[ACCOUNTS];

static void lock_pair(int a, int b)
{
    int lower = a < b ? a : b;
    int upper = a < b ? b : a;

    pthread_mutex_lock(&accounts[lower].mutex);
    pthread_mutex_lock(&accounts[upper].mutex);
}

static void unlock_pair(int a, int b)
{
    pthread_mutex_unlock(&accounts[a].mutex);
    pthread_mutex_unlock(&accounts[b].mutex);
}

static void transfer(int from, int to, long amount)
{
    if (from == to)
        return;
    lock_pair(from, to);
    if (accounts[from].balance >= amount) {
        accounts[from].balance -= amount;
        accounts[to].balance += amount;
    }
    unlock_pair(from, to);
}

static void *teller(void *argument)
{
    unsigned state = *(unsigned *)argument;

    for (int i = 0; i < TRANSFERS; i++) {
        state = state * 1664525u + 1013904223u;
        transfer((int)(state >> 28) % ACCOUNTS, (int)(state >> 20 & 15) % ACCOUNTS, state >> 12 & 63);
    }
    return NULL;
}

int main(void)
{
    pthread_t tellers[TELLERS];
    unsigned seeds[TELLERS];
    long total = 0;

    for (int i = 0; i < ACCOUNTS; i++) {
        pthread_mutex_init(&accounts[i].mutex, NULL);
        accounts[i].balance = 500;
    }
    for (unsigned i = 0; i < TELLERS; i++) {
        seeds[i] = i * 977 + 5;
        pthread_create(&tellers[i], NULL, teller, &seeds[i]);
    }
    for (int i = 0; i < TELLERS; i++)
        pthread_join(tellers[i], NULL);
    for (int i = 0; i < ACCOUNTS; i++) {
        total += accounts[i].balance;
        pthread_mutex_destroy(&accounts[i].mutex);
    }
    printf("total %ld\n", total);
    return total != ACCOUNTS * 500;
}
