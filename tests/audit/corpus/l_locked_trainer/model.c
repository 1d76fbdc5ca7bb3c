#include "model.h"

#include <stdlib.h>
#include <string.h>

int model_create(Model *model, size_t inputs, size_t hidden)
{
    memset(model, 0, sizeof *model);
    model->inputs = inputs;
    model->hidden = hidden;
    model->first_layer = malloc(inputs * hidden * sizeof(float));
    model->second_layer = malloc(hidden * sizeof(float));
    if (model->first_layer == NULL || model->second_layer == NULL) {
        free(model->first_layer);
        free(model->second_layer);
        return -1;
    }
    for (size_t i = 0; i < inputs * hidden; i++)
        model->first_layer[i] = (float)(i % 7) * 0.05f - 0.15f;
    for (size_t j = 0; j < hidden; j++)
        model->second_layer[j] = (float)(j % 3) * 0.1f - 0.1f;
    pthread_mutex_init(&model->model_lock, NULL);
    pthread_mutex_init(&model->stats_lock, NULL); /* expect: CL001 #2 */
    return 0;
}

void model_free(Model *model)
{
    pthread_mutex_destroy(&model->stats_lock);
    pthread_mutex_destroy(&model->model_lock);
    free(model->second_layer);
    free(model->first_layer);
}

void model_acquire(Model *model)
{
    pthread_mutex_lock(&model->model_lock); /* expect: CL002 #1 */
}

void model_release(Model *model)
{
    pthread_mutex_unlock(&model->model_lock);
}

float model_train_sample(Model *model, const float *input, float target, float rate)
{
    float output = 0, error;

    for (size_t j = 0; j < model->hidden; j++) {
        float sum = 0;

        for (size_t i = 0; i < model->inputs; i++)
            sum += model->first_layer[j * model->inputs + i] * input[i];
        output += model->second_layer[j] * (sum > 0 ? sum : 0);
    }
    error = output - target;
    for (size_t j = 0; j < model->hidden; j++) {
        float sum = 0, before = model->second_layer[j];

        for (size_t i = 0; i < model->inputs; i++)
            sum += model->first_layer[j * model->inputs + i] * input[i];
        if (sum <= 0)
            continue;
        model->second_layer[j] -= rate * error * sum;
        for (size_t i = 0; i < model->inputs; i++)
            model->first_layer[j * model->inputs + i] -= rate * error * before * input[i];
    }
    return error * error;
}
