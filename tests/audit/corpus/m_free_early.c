/* A frame checker: the main thread frees the frames before it joins the threads that still read them.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 2
#define FRAME 20000
#define PASSES 40

struct checker {
    pthread_t thread;
    const unsigned char *frame;
    unsigned result;
};

static void *check(void *argument)
{
    struct checker *checker = argument;
    unsigned crc = 0xffffffffu;

    for (int pass = 0; pass < PASSES; pass++)
        for (int i = 0; i < FRAME; i++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0) ^ checker->frame[i]; /* expect: CD001 #1 */
    checker->result = crc;
    return NULL;
}

int main(void)
{
    struct checker checkers[THREADS];
    unsigned char *frame = malloc(FRAME);
    unsigned sum = 0;

    if (frame == NULL)
        return 1;
    for (int i = 0; i < FRAME; i++)
        frame[i] = (unsigned char)(i * 13);
    for (int i = 0; i < THREADS; i++) {
        checkers[i].frame = frame;
        pthread_create(&checkers[i].thread, NULL, check, &checkers[i]);
    }
    free(frame); /* expect: CD001 #1 */
    for (int i = 0; i < THREADS; i++) {
        pthread_join(checkers[i].thread, NULL);
        sum += checkers[i].result;
    }
    printf("checked, result %s\n", sum ? "non-zero" : "zero");
    return 0;
}
