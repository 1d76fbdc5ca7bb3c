#include "training.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEQUENTIAL_BATCH = 48
};

static double sequential_batch(struct model *model, const struct corpus *corpus, size_t first, size_t count,
                               float *gradients)
{
    double loss = 0.0;

    memset(gradients, 0, PARAMETER_COUNT * sizeof *gradients);
    for (size_t place = first; place < first + count; place++) {
        const unsigned char *window = corpus_window(corpus, place);

        loss += model_forward(model, window);
        model_backward(model, window, gradients);
    }
    return loss;
}

static double sequential_epoch(struct model *model, struct corpus *corpus, const struct training_options *options,
                               struct training_report *report, float *gradients)
{
    double loss = 0.0;
    size_t count;

    corpus_shuffle(corpus);
    for (size_t first = 0; first < corpus->windows; first += count) {
        count = corpus->windows - first;
        if (count > SEQUENTIAL_BATCH)
            count = SEQUENTIAL_BATCH;
        loss += sequential_batch(model, corpus, first, count, gradients);
        model_update(model, gradients, 1.0f / (float)count, options->learning_rate, options->gradient_limit);
        report->updates++;
    }
    return loss / (double)corpus->windows;
}

int train_sequential(struct model *model, struct corpus *corpus, const struct training_options *options,
                     struct training_report *report)
{
    float *gradients = malloc(PARAMETER_COUNT * sizeof *gradients);

    if (!gradients)
        return ENOMEM;
    for (int epoch = 0; epoch < options->epochs; epoch++) {
        report->loss[epoch] = sequential_epoch(model, corpus, options, report, gradients);
        report->epochs = epoch + 1;
        printf("epoch %d: loss %.4f (sequential)\n", epoch + 1, report->loss[epoch]);
    }
    free(gradients);
    return 0;
}
