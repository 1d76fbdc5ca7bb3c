/* Camera and encoder over two frames: the camera waits for room, the encoder announces its finished frame on another semaphore.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>

#define FRAMES 12
#define PIXELS 64
#define DEPTH 2

enum sem_name { SEM_ROOM, SEM_FRAME, SEM_PACKET, SEM_COUNT };

static const unsigned initial[SEM_COUNT] = {
    [SEM_ROOM] = 0, /* expect: CP002 #room */
    [SEM_FRAME] = 0,
    [SEM_PACKET] = 0,
};

static sem_t sems[SEM_COUNT];
static uint8_t frame[DEPTH][PIXELS];
static uint32_t packet[FRAMES];

#define P(name) sem_wait(&sems[SEM_##name])
#define V(name) sem_post(&sems[SEM_##name])

static void *camera(void *unused)
{
    for (int n = 0; n < FRAMES; n++) {
        P(ROOM); /* expect: CP002 #room */
        for (int i = 0; i < PIXELS; i++)
            frame[n % DEPTH][i] = (uint8_t)(n * 31 + i);
        V(FRAME);
    }
    return unused;
}

static void *encoder(void *unused)
{
    for (int n = 0; n < FRAMES; n++) {
        uint32_t code = 2166136261u;

        P(FRAME);
        for (int i = 0; i < PIXELS; i++)
            code = (code ^ frame[n % DEPTH][i]) * 16777619u;
        packet[n] = code;
        V(PACKET);
    }
    return unused;
}

int main(void)
{
    pthread_t cam, enc;

    for (int s = 0; s < SEM_COUNT; s++)
        sem_init(&sems[s], 0, initial[s]); /* expect: CP002 #room */
    pthread_create(&cam, NULL, camera, NULL);
    pthread_create(&enc, NULL, encoder, NULL);
    for (int n = 0; n < FRAMES; n++) {
        P(PACKET);
        printf("packet %d: %08x\n", n, (unsigned)packet[n]);
    }
    pthread_join(cam, NULL); /* allow: CT001 */
    pthread_join(enc, NULL); /* allow: CT001 */
    for (int s = 0; s < SEM_COUNT; s++)
        sem_destroy(&sems[s]);
    return 0;
}
