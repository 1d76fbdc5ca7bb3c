/* Heat in a rod by Jacobi sweeps over two buffers; the only barrier is reached through wrappers and a macro.
 *
 * clean: yes
 * bind: work=relax
 * check: holds
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define CREW 3
#define CELLS 60
#define SWEEPS 40

#define CHECK(call)                                                     \
    do {                                                                \
        int status_ = (call);                                           \
        if (status_ != 0) {                                             \
            fprintf(stderr, "%s failed: %d\n", #call, status_);         \
            exit(EXIT_FAILURE);                                         \
        }                                                               \
    } while (0)

typedef struct {
    pthread_barrier_t inner;
} sync_point;

#define MEET(rod) sync_cross(&(rod)->swept)

struct rod {
    sync_point swept;
    double heat[2][CELLS + 2];
};

struct crew_member {
    struct rod *rod;
    int index;
    pthread_t thread;
};

static void sync_init(sync_point *point, unsigned parties)
{
    CHECK(pthread_barrier_init(&point->inner, NULL, parties));
}

static void sync_cross(sync_point *point)
{
    int status = pthread_barrier_wait(&point->inner);
    if (status != 0 && status != PTHREAD_BARRIER_SERIAL_THREAD)
        abort();
}

static void sync_destroy(sync_point *point)
{
    CHECK(pthread_barrier_destroy(&point->inner));
}

static void relax(const double *old, double *fresh, int first, int last)
{
    for (int cell = first; cell < last; cell++)
        fresh[cell] = 0.25 * old[cell - 1] + 0.5 * old[cell] + 0.25 * old[cell + 1];
}

static void *sweep(void *argument)
{
    struct crew_member *member = argument;
    struct rod *rod = member->rod;
    int first = 1 + member->index * CELLS / CREW;
    int last = 1 + (member->index + 1) * CELLS / CREW;

    for (int step = 0; step < SWEEPS; step++) {
        relax(rod->heat[step % 2], rod->heat[(step + 1) % 2], first, last);
        MEET(rod);
    }
    return NULL;
}

int main(void)
{
    static struct rod rod;
    struct crew_member crew[CREW];

    for (int buffer = 0; buffer < 2; buffer++)
        rod.heat[buffer][0] = 100.0;
    sync_init(&rod.swept, CREW);
    for (int i = 0; i < CREW; i++) {
        crew[i].rod = &rod;
        crew[i].index = i;
        CHECK(pthread_create(&crew[i].thread, NULL, sweep, &crew[i]));
    }
    for (int i = 0; i < CREW; i++)
        CHECK(pthread_join(crew[i].thread, NULL));
    sync_destroy(&rod.swept);
    printf("heat at 1: %.3f, at 5: %.3f\n", rod.heat[SWEEPS % 2][1], rod.heat[SWEEPS % 2][5]);
    return 0;
}
