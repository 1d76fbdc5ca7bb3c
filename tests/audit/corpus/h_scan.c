/* Parallel prefix sum: block sums, a scan of the sums by whoever the barrier elects, then every block adds its offset.
 *
 * clean: yes
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { NTHR = 4, N = 1022 };

struct scan {
    pthread_barrier_t sums_done, offsets_done;
    long v[N];
    long sum[NTHR];
};

struct part {
    struct scan *s;
    int k;
};

static void *scan_part(void *vp)
{
    struct part *p = vp;
    struct scan *s = p->s;
    int lo = p->k * N / NTHR, hi = (p->k + 1) * N / NTHR, i;

    for (i = lo + 1; i < hi; i++)
        s->v[i] += s->v[i - 1];
    s->sum[p->k] = s->v[hi - 1];

    if (pthread_barrier_wait(&s->sums_done) == PTHREAD_BARRIER_SERIAL_THREAD)
        for (i = 1; i < NTHR; i++)
            s->sum[i] += s->sum[i - 1];
    pthread_barrier_wait(&s->offsets_done);

    if (p->k > 0)
        for (i = lo; i < hi; i++)
            s->v[i] += s->sum[p->k - 1];
    return NULL;
}

int main(void)
{
    struct scan *s = calloc(1, sizeof *s);
    struct part part[NTHR];
    pthread_t t[NTHR];
    int i;

    if (!s)
        return EXIT_FAILURE;
    for (i = 0; i < N; i++)
        s->v[i] = i + 1;
    pthread_barrier_init(&s->sums_done, NULL, NTHR);
    pthread_barrier_init(&s->offsets_done, NULL, NTHR);
    for (i = 0; i < NTHR; i++) {
        part[i] = (struct part){s, i};
        pthread_create(t + i, NULL, scan_part, part + i);
    }
    for (i = 0; i < NTHR; i++)
        pthread_join(t[i], NULL);
    pthread_barrier_destroy(&s->sums_done);
    pthread_barrier_destroy(&s->offsets_done);
    printf("sum %ld, half %ld\n", s->v[N - 1], s->v[N / 2]);
    i = s->v[N - 1] == (long)N * (N + 1) / 2 ? EXIT_SUCCESS : EXIT_FAILURE;
    free(s);
    return i;
}
