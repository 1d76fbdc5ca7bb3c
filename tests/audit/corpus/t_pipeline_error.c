/* Three-stage record pipeline over semaphores: the reader returns at a bad record and never sends the end mark.
 *
 * clean: no
 * allow: CT001
 * run: hang
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#define RING 4
#define END_MARK (-1)

struct channel {
    sem_t free_slots;
    sem_t filled;
    int ring[RING];
    int in, out;
};

static struct channel parsed, scaled;

static const char *const records[] = {"12", "7", "30", "4x", "15", "9"};

static void channel_init(struct channel *channel)
{
    memset(channel, 0, sizeof *channel);
    sem_init(&channel->free_slots, 0, RING);
    sem_init(&channel->filled, 0, 0);
}

static void channel_send(struct channel *channel, int value)
{
    sem_wait(&channel->free_slots);
    channel->ring[channel->in++ % RING] = value;
    sem_post(&channel->filled);
}

static int channel_receive(struct channel *channel)
{
    sem_wait(&channel->filled); /* expect: CT002 #1 */
    int value = channel->ring[channel->out++ % RING];
    sem_post(&channel->free_slots);
    return value;
}

static void *reader(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        int value;
        char rest;
        if (sscanf(records[i], "%d%c", &value, &rest) != 1) {
            fprintf(stderr, "record %zu: not a number\n", i);
            return NULL; /* expect: CT002 #1 */
        }
        channel_send(&parsed, value);
    }
    channel_send(&parsed, END_MARK);
    return NULL;
}

static void *scaler(void *argument)
{
    int value;
    (void)argument;
    while ((value = channel_receive(&parsed)) != END_MARK) /* expect: CT002 #1 */
        channel_send(&scaled, value * 10);
    channel_send(&scaled, END_MARK);
    return NULL;
}

static void *writer(void *argument)
{
    long *sum = argument;
    int value;
    while ((value = channel_receive(&scaled)) != END_MARK) /* expect: CT002 #1 */
        *sum += value;
    return NULL;
}

int main(void)
{
    pthread_t stages[3];
    long sum = 0;

    channel_init(&parsed);
    channel_init(&scaled);
    pthread_create(&stages[0], NULL, reader, NULL);
    pthread_create(&stages[1], NULL, scaler, NULL);
    pthread_create(&stages[2], NULL, writer, &sum);
    for (int i = 0; i < 3; i++)
        pthread_join(stages[i], NULL);
    printf("sum %ld\n", sum);
    sem_destroy(&parsed.filled);
    sem_destroy(&parsed.free_slots);
    sem_destroy(&scaled.filled);
    sem_destroy(&scaled.free_slots);
    return 0;
}
