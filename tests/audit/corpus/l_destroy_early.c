/* A vote counter: the pool is torn down (mutex destroyed) as soon as the stop flag is set, and the voters are joined afterwards.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define VOTERS 3

struct poll {
    pthread_mutex_t mutex;
    int closed;
    long votes[2];
};

static void poll_open(struct poll *poll)
{
    pthread_mutex_init(&poll->mutex, NULL);
    poll->closed = 0;
    poll->votes[0] = poll->votes[1] = 0;
}

static int poll_vote(struct poll *poll, int choice)
{
    int closed;

    pthread_mutex_lock(&poll->mutex); /* expect: CD001 #1 */
    closed = poll->closed;
    if (!closed)
        poll->votes[choice]++;
    pthread_mutex_unlock(&poll->mutex);
    return closed;
}

static void poll_close(struct poll *poll)
{
    pthread_mutex_lock(&poll->mutex);
    poll->closed = 1;
    pthread_mutex_unlock(&poll->mutex);
    pthread_mutex_destroy(&poll->mutex); /* expect: CD001 #1 */
}

static void *voter(void *argument)
{
    struct poll *poll = argument;
    unsigned ballot = 0;

    while (!poll_vote(poll, (int)(ballot++ % 3 == 0)))
        usleep(200);
    return NULL;
}

int main(void)
{
    static struct poll poll;
    pthread_t voters[VOTERS];

    poll_open(&poll);
    for (int i = 0; i < VOTERS; i++)
        pthread_create(&voters[i], NULL, voter, &poll);
    usleep(5000);
    poll_close(&poll); /* expect: CD001 #1 */
    for (int i = 0; i < VOTERS; i++)
        pthread_join(voters[i], NULL);
    printf("more no than yes: %s\n", poll.votes[0] > poll.votes[1] ? "yes" : "no");
    return 0;
}
