#ifndef MATMUL_H
#define MATMUL_H

#include <pthread.h>

#define MM_DIM 24
#define MM_CREW 3
#define MM_PARTIES (MM_CREW + 1)
#define MM_POWERS 4

struct mm_ctx {
    pthread_barrier_t bar;
    pthread_mutex_t stat_lock; /* expect: CL001 #stat */
    double a[MM_DIM][MM_DIM];
    double p[2][MM_DIM][MM_DIM];
};

struct mm_hand {
    struct mm_ctx *mm;
    int row0, row1;
};

static inline void mm_sync(struct mm_ctx *mm)
{
    pthread_barrier_wait(&mm->bar); /* expect: CB002 #count */
}

static inline void mm_setup(struct mm_ctx *mm, unsigned parties)
{
    pthread_barrier_init(&mm->bar, NULL, parties); /* expect: CB002 #count */
    pthread_mutex_init(&mm->stat_lock, NULL);      /* expect: CL001 #stat */
}

static inline void mm_teardown(struct mm_ctx *mm)
{
    pthread_mutex_destroy(&mm->stat_lock); /* expect: CL001 #stat */
    pthread_barrier_destroy(&mm->bar);
}

void *mm_crew(void *hand);

#endif
