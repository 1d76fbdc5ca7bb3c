/* Node-zero-like trainer whose control takes the last share of every batch itself instead of only ordering and folding.
 *
 * clean: no
 * bind: work=crunch
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define HANDS 3
#define SHARES (HANDS + 1)
#define ROUNDS 6
#define SIZE 10

enum command { GO, LEAVE };

static pthread_barrier_t tick;
static enum command command;
static int round_number;
static float state[SIZE];
static float delta[SHARES][SIZE];

static void crunch(int share)
{
    for (int i = 0; i < SIZE; i++)
        delta[share][i] = 0.25f * ((float)((share + i + round_number) % 5) - state[i]);
}

static void *hand(void *argument)
{
    int share = *(int *)argument;
    for (;;) {
        pthread_barrier_wait(&tick);
        if (command == LEAVE)
            break;
        crunch(share);
        pthread_barrier_wait(&tick);
    }
    return NULL;
}

static void fold(void)
{
    for (int share = 0; share < SHARES; share++)
        for (int i = 0; i < SIZE; i++)
            state[i] += delta[share][i] / SHARES;
}

static void *head(void *argument) /* expect: CT004 #1 */
{
    (void)argument;
    command = GO;
    for (round_number = 0; round_number < ROUNDS; round_number++) {
        pthread_barrier_wait(&tick);
        crunch(HANDS); /* expect: CT004 #1 */
        pthread_barrier_wait(&tick);
        fold();
    }
    command = LEAVE;
    pthread_barrier_wait(&tick);
    return NULL;
}

int main(void)
{
    pthread_t leader, hands[HANDS];
    int shares[HANDS];

    pthread_barrier_init(&tick, NULL, HANDS + 1);
    pthread_create(&leader, NULL, head, NULL);
    for (int i = 0; i < HANDS; i++) {
        shares[i] = i;
        pthread_create(&hands[i], NULL, hand, &shares[i]);
    }
    pthread_join(leader, NULL);
    for (int i = 0; i < HANDS; i++)
        pthread_join(hands[i], NULL);
    pthread_barrier_destroy(&tick);
    for (int i = 0; i < SIZE; i++)
        printf("%.3f ", state[i]);
    putchar('\n');
    return 0;
}
