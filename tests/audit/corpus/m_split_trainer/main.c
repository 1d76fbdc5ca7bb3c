/* A trainer of two files: the samples are split by an integer division of two settings and the remainder is never trained on.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "split.h"

struct trainer {
    pthread_t thread;
    struct share share;
    const double *samples;
    double weight;
    double gradient;
};

static void process_batch(struct trainer *trainer)
{
    double gradient = 0;

    for (size_t i = 0; i < trainer->share.count; i++)
        gradient += trainer->weight - trainer->samples[trainer->share.offset + i];
    trainer->gradient = gradient;
}

static void *trainer_main(void *argument)
{
    process_batch(argument);
    return NULL;
}

static double train_epoch(const struct config *config, struct trainer *trainers, double weight)
{
    double gradient = 0;

    for (size_t i = 0; i < config->workers; i++) {
        trainers[i].weight = weight;
        if (pthread_create(&trainers[i].thread, NULL, trainer_main, &trainers[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < config->workers; i++) {
        pthread_join(trainers[i].thread, NULL);
        gradient += trainers[i].gradient;
    }
    return weight - 0.5 * gradient / (double)config->samples;
}

int main(void)
{
    static double samples[103];
    struct config config = { .workers = 4, .samples = 103, .epochs = 6 };
    struct share shares[MAX_WORKERS];
    struct trainer trainers[MAX_WORKERS];
    double weight = 0;

    for (size_t i = 0; i < config.samples; i++)
        samples[i] = (double)(i % 9);
    split_samples(&config, shares);
    for (size_t i = 0; i < config.workers; i++) {
        trainers[i].share = shares[i];
        trainers[i].samples = samples;
    }
    for (size_t epoch = 0; epoch < config.epochs; epoch++)
        weight = train_epoch(&config, trainers, weight);
    printf("weight %.4f\n", weight);
    return 0;
}
