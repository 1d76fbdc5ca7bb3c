/* A seat booking table: the branch for a seat that is already taken returns with the table's mutex held.
 *
 * clean: no
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>

#define SEATS 12
#define AGENTS 3

struct hall {
    pthread_mutex_t mutex;
    int owner[SEATS];
    int booked;
};

struct agent {
    struct hall *hall;
    int number;
    int refused;
};

/* Returns 0 when the seat was booked, -1 when somebody else has it, -2 when there is no such seat. */
static int book(struct hall *hall, int seat, int agent)
{
    if (seat < 0 || seat >= SEATS)
        return -2;
    pthread_mutex_lock(&hall->mutex); /* expect: CL004 #1 */
    if (hall->owner[seat] != 0)
        return -1; /* expect: CL004 #1 */
    hall->owner[seat] = agent;
    hall->booked++;
    pthread_mutex_unlock(&hall->mutex);
    return 0;
}

static void *agent_main(void *argument)
{
    struct agent *agent = argument;

    for (int seat = 0; seat < SEATS; seat += agent->number)
        if (book(agent->hall, seat, agent->number) != 0)
            agent->refused++;
    return NULL;
}

int main(void)
{
    struct hall hall = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    struct agent agents[AGENTS];
    pthread_t threads[AGENTS];

    for (int i = 0; i < AGENTS; i++) {
        agents[i] = (struct agent){ .hall = &hall, .number = i + 1 };
        pthread_create(&threads[i], NULL, agent_main, &agents[i]);
    }
    for (int i = 0; i < AGENTS; i++)
        pthread_join(threads[i], NULL); /* allow: CT001 */
    printf("%d seats booked\n", hall.booked);
    for (int i = 0; i < AGENTS; i++)
        printf("agent %d: %d refused\n", agents[i].number, agents[i].refused);
    pthread_mutex_destroy(&hall.mutex);
    return 0;
}
