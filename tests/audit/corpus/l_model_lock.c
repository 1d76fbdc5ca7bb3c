/* A small regression trainer: every worker holds the model's mutex while it processes its batch, so that only one works.
 *
 * clean: no
 * run: ok
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>

#define NUM_WORKERS 4
#define BATCHES 6
#define BATCH_SIZE 32
#define FEATURES 8
#define RATE 0.01

typedef struct {
    double weights[FEATURES];
    double loss;
    pthread_mutex_t model_lock;
} Model;

typedef struct {
    Model *model;
    unsigned seed;
    int worker_id;
} WorkerArgs;

static double next_value(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return (double)((*state >> 16) & 0x7fff) / 32768.0 - 0.5;
}

static double process_batch(Model *model, unsigned *seed)
{
    double squared = 0;

    for (int sample = 0; sample < BATCH_SIZE; sample++) {
        double input[FEATURES], output = 0, target = 0;

        for (int k = 0; k < FEATURES; k++) {
            input[k] = next_value(seed);
            output += model->weights[k] * input[k];
            target += input[k] * (k + 1) * 0.25;
        }
        for (int k = 0; k < FEATURES; k++)
            model->weights[k] -= RATE * (output - target) * input[k];
        squared += (output - target) * (output - target);
    }
    return squared / BATCH_SIZE;
}

static void *training_worker(void *arg)
{
    WorkerArgs *args = arg;
    Model *model = args->model;

    for (int batch = 0; batch < BATCHES; batch++) {
        pthread_mutex_lock(&model->model_lock); /* expect: CL002 #1 */
        model->loss += process_batch(model, &args->seed); /* expect: CL002 #1 */
        pthread_mutex_unlock(&model->model_lock);
    }
    return NULL;
}

int main(void)
{
    Model model = { .loss = 0 };
    WorkerArgs args[NUM_WORKERS];
    pthread_t workers[NUM_WORKERS];

    pthread_mutex_init(&model.model_lock, NULL);
    for (int i = 0; i < NUM_WORKERS; i++) {
        args[i].model = &model;
        args[i].seed = 17u + (unsigned)i;
        args[i].worker_id = i;
        pthread_create(&workers[i], NULL, training_worker, &args[i]);
    }
    for (int i = 0; i < NUM_WORKERS; i++) {
        pthread_join(workers[i], NULL);
        printf("worker %d done\n", args[i].worker_id);
    }
    pthread_mutex_destroy(&model.model_lock);
    printf("mean loss is finite: %s\n", isfinite(model.loss) ? "yes" : "no");
    return 0;
}
