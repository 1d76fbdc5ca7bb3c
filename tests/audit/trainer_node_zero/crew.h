#ifndef CREW_H
#define CREW_H

#include "control_process.h"
#include "corpus.h"
#include "lattice_hierarchy.h"
#include "messages.h"
#include "model.h"
#include "shared_memory.h"
#include "training.h"

#include <pthread.h>

enum {
    CHILDREN_PER_CONTROL = 12
};

_Static_assert((int)CHILDREN_PER_CONTROL == (int)LATTICE_NEIGHBOURS, "a thread for every sphere around the root");

struct crew;

/* A thread without children: it computes its share of every batch. */
struct worker {
    struct crew *crew;
    const struct sphere *sphere;
    pthread_t thread;
    struct mailbox reports;
    struct activations activations;
    double waited_seconds;
};

/* Node Zero and its children, with all that they share. */
struct crew {
    const struct training_options *options;
    struct training_report *report;
    struct model *model;
    struct corpus *corpus;

    pthread_barrier_t batch_barrier;
    pthread_barrier_t epoch_barrier;
    struct mailbox orders;

    int num_workers;
    struct worker *workers;

    struct lattice *lattice;
    struct control_process *node_zero;
    pthread_t control_thread;
    int control_error;

    struct shared_region *gradient_region;
    float *accumulated;
};

/* Everything but the threads. */
int crew_create(struct crew *crew, struct model *model, struct corpus *corpus, const struct training_options *options,
                struct training_report *report);
void crew_destroy(struct crew *crew);

/* Waits at the barrier and adds the time that took to `waited_seconds`. */
void crew_cross(pthread_barrier_t *barrier, double *waited_seconds);

/* The gradient of the worker at `position`, inside the shared region. */
float *crew_segment(const struct crew *crew, int position);

/* Entry of the worker threads. */
void *worker_main(void *argument);

double seconds_now(void);

/* A thread or barrier that fails leaves no order in which the others could end: the program ends. */
void fatal(const char *what, int error) __attribute__((noreturn));

#endif
