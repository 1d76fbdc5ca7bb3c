/* A blur whose bands run up to and including their last row, which is the neighbour's first; a supervisor only sleeps.
 *
 * clean: no
 * bind: work=BlurBand
 * run: race
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned char BYTE;

#define WIDTH 400
#define HEIGHT 60
#define BANDS 3
#define FRAMES 60

typedef struct tagBAND {
    pthread_t hThread;
    int nFirst, nLast;
} BAND;

static BYTE (*pSource)[WIDTH];
static BYTE (*pTarget)[WIDTH];
static sem_t semFinished;

static void BlurBand(const BAND *pBand)
{
    for (int y = pBand->nFirst; y <= pBand->nLast; y++) /* expect: CS001 #band */
        for (int x = 1; x < WIDTH - 1; x++)
            pTarget[y][x] = /* expect: CS001 #band */ /* allow: CR001 */
                (BYTE)((pSource[y][x - 1] + 2 * pSource[y][x] + pSource[y][x + 1]) / 4);
}

static void *BandProc(void *pParam)
{
    BAND *pBand = pParam;

    for (int n = 0; n < FRAMES; n++)
        BlurBand(pBand);
    return NULL;
}

static void *SupervisorProc(void *pParam) /* expect: CT005 #idle */
{
    sem_wait(&semFinished); /* expect: CT005 #idle */
    return pParam;
}

static int AllocImages(void)
{
    pSource = calloc(HEIGHT + 1, sizeof *pSource);
    pTarget = calloc(HEIGHT + 1, sizeof *pTarget);
    if (!pSource || !pTarget)
        return 0;
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        pSource[i / WIDTH][i % WIDTH] = (BYTE)(i * 29 % 251);
    return 1;
}

int main(void)
{
    BAND aBand[BANDS];
    pthread_t hSupervisor;
    unsigned long ulSum = 0;

    if (!AllocImages())
        return EXIT_FAILURE;
    sem_init(&semFinished, 0, 0);
    pthread_create(&hSupervisor, NULL, SupervisorProc, NULL); /* expect: CT005 #idle */
    for (int i = 0; i < BANDS; i++) {
        aBand[i].nFirst = i * (HEIGHT / BANDS);      /* expect: CS001 #band */
        aBand[i].nLast = (i + 1) * (HEIGHT / BANDS); /* expect: CS001 #band */
        pthread_create(&aBand[i].hThread, NULL, BandProc, &aBand[i]);
    }
    for (int i = 0; i < BANDS; i++)
        pthread_join(aBand[i].hThread, NULL);
    sem_post(&semFinished);
    pthread_join(hSupervisor, NULL);
    sem_destroy(&semFinished);
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        ulSum += pTarget[i / WIDTH][i % WIDTH];
    free(pSource);
    free(pTarget);
    printf("sum %lu\n", ulSum);
    return EXIT_SUCCESS;
}
