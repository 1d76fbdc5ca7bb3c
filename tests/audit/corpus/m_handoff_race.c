/* A renderer hands frames to an encoder through a mailbox: the mutex guards the flag, the frame is overwritten without waiting.
 *
 * clean: no
 * check: race
 * run: race
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FRAMES 200
#define PIXELS 16384

struct mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool full;
    bool closed;
    unsigned char frame[PIXELS]; /* expect: CR001 #1 */
    unsigned long encoded;
};

static void encode(struct mailbox *box)
{
    unsigned long sum = 0;

    for (int i = 0; i < PIXELS; i++)
        sum = sum * 31 + box->frame[i]; /* expect: CR001 #1 */
    box->encoded ^= sum;
}

static void *encoder_main(void *argument)
{
    struct mailbox *box = argument;

    for (;;) {
        bool full;

        pthread_mutex_lock(&box->mutex);
        while (!box->full && !box->closed)
            pthread_cond_wait(&box->changed, &box->mutex);
        full = box->full;
        box->full = false;
        pthread_cond_broadcast(&box->changed);
        pthread_mutex_unlock(&box->mutex);
        if (!full)
            return NULL;
        encode(box); /* expect: CR001 #1 */
    }
}

static void *renderer_main(void *argument)
{
    struct mailbox *box = argument;

    for (int number = 0; number < FRAMES; number++) {
        pthread_mutex_lock(&box->mutex);
        while (box->full)
            pthread_cond_wait(&box->changed, &box->mutex);
        memset(box->frame, number & 0xff, sizeof box->frame); /* expect: CR001 #1 */
        box->full = true;
        pthread_cond_broadcast(&box->changed);
        pthread_mutex_unlock(&box->mutex);
    }
    pthread_mutex_lock(&box->mutex);
    box->closed = true;
    pthread_cond_broadcast(&box->changed);
    pthread_mutex_unlock(&box->mutex);
    return NULL;
}

int main(void)
{
    static struct mailbox box = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    pthread_t renderer, encoder;

    pthread_create(&encoder, NULL, encoder_main, &box);
    pthread_create(&renderer, NULL, renderer_main, &box);
    pthread_join(renderer, NULL);
    pthread_join(encoder, NULL);
    printf("encoded %lx\n", box.encoded);
    return 0;
}
