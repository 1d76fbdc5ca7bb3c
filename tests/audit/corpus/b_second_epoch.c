/* Two-epoch trainer: the workers keep their batch counter across epochs, so from the second epoch on they never wait.
 *
 * clean: no
 * allow: CT002
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>

#define WORKERS 3
#define EPOCHS 2
#define BATCHES 4

struct model {
    double weights[4];
    double gradients[WORKERS][4];
    pthread_barrier_t round;
};

struct share {
    struct model *model;
    int index;
};

static void process_batch(struct model *model, int index, int batch)
{
    for (int i = 0; i < 4; i++)
        model->gradients[index][i] = model->weights[i] - 0.1 * ((batch + i + index) % 5);
}

static void *train_share(void *argument)
{
    struct share *share = argument;
    struct model *model = share->model;
    int batch = 0;

    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        while (batch < BATCHES) { /* expect: CB003 #1 */
            pthread_barrier_wait(&model->round); /* expect: CB003 #1 */
            process_batch(model, share->index, batch);
            pthread_barrier_wait(&model->round); /* expect: CB003 #1 */
            batch++;
        }
    }
    return NULL;
}

static void *control(void *argument)
{
    struct model *model = argument;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        for (int batch = 0; batch < BATCHES; batch++) {
            pthread_barrier_wait(&model->round); /* expect: CB003 #1 */
            pthread_barrier_wait(&model->round); /* expect: CB003 #1 */
            for (int w = 0; w < WORKERS; w++)
                for (int i = 0; i < 4; i++)
                    model->weights[i] -= 0.05 * model->gradients[w][i];
        }
        printf("epoch %d: %.4f\n", epoch, model->weights[0]);
        fflush(stdout);
    }
    return NULL;
}

int main(void)
{
    static struct model model;
    struct share shares[WORKERS];
    pthread_t workers[WORKERS], control_thread;

    pthread_barrier_init(&model.round, NULL, WORKERS + 1);
    pthread_create(&control_thread, NULL, control, &model);
    for (int w = 0; w < WORKERS; w++) {
        shares[w] = (struct share){&model, w};
        pthread_create(&workers[w], NULL, train_share, &shares[w]);
    }
    for (int w = 0; w < WORKERS; w++)
        pthread_join(workers[w], NULL);
    pthread_join(control_thread, NULL);
    pthread_barrier_destroy(&model.round);
    return 0;
}
