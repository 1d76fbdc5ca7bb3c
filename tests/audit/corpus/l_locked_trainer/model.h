#ifndef MODEL_H
#define MODEL_H

#include <pthread.h>
#include <stddef.h>

typedef struct {
    size_t inputs;
    size_t hidden;
    float *first_layer;
    float *second_layer;
    double loss_sum;
    long batches_seen;
    pthread_mutex_t model_lock;
    pthread_mutex_t stats_lock; /* expect: CL001 #2 */
} Model;

int model_create(Model *model, size_t inputs, size_t hidden);
void model_free(Model *model);

void model_acquire(Model *model);
void model_release(Model *model);

/* One forward and backward pass; returns the squared error. */
float model_train_sample(Model *model, const float *input, float target, float rate);

#endif
