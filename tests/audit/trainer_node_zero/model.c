#include "model.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)(*state >> 40) / (float)(1 << 24) * 2.0f - 1.0f;
}

static void fill(float *values, size_t count, float width, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        values[i] = uniform(state) * width;
}

int model_create(struct model *model, uint64_t seed)
{
    uint64_t state = seed;

    model->parameters = calloc(PARAMETER_COUNT, sizeof *model->parameters);
    if (!model->parameters)
        return ENOMEM;
    fill(model->parameters + AT_EMBEDDING, VOCABULARY * EMBEDDING, 0.5f, &state);
    fill(model->parameters + AT_HIDDEN_WEIGHTS, HIDDEN * INPUT, 1.0f / sqrtf(INPUT), &state);
    fill(model->parameters + AT_OUTPUT_WEIGHTS, VOCABULARY * HIDDEN, 1.0f / sqrtf(HIDDEN), &state);
    return 0;
}

void model_destroy(struct model *model)
{
    free(model->parameters);
    model->parameters = NULL;
}

static void embed(const struct model *model, const unsigned char *window, float *input)
{
    for (int c = 0; c < CONTEXT; c++)
        memcpy(input + c * EMBEDDING, model->parameters + AT_EMBEDDING + window[c] * EMBEDDING,
               EMBEDDING * sizeof(float));
}

static void softmax(float *values, int count)
{
    float largest = values[0];
    float sum = 0.0f;

    for (int i = 1; i < count; i++)
        if (values[i] > largest)
            largest = values[i];
    for (int i = 0; i < count; i++) {
        values[i] = expf(values[i] - largest);
        sum += values[i];
    }
    for (int i = 0; i < count; i++)
        values[i] /= sum;
}

float model_forward(const struct model *model, const unsigned char *window, struct activations *activations)
{
    const float *hidden_weights = model->parameters + AT_HIDDEN_WEIGHTS;
    const float *output_weights = model->parameters + AT_OUTPUT_WEIGHTS;

    embed(model, window, activations->input);
    for (int h = 0; h < HIDDEN; h++) {
        float sum = model->parameters[AT_HIDDEN_BIAS + h];

        for (int i = 0; i < INPUT; i++)
            sum += hidden_weights[h * INPUT + i] * activations->input[i];
        activations->hidden[h] = tanhf(sum);
    }
    for (int v = 0; v < VOCABULARY; v++) {
        float sum = model->parameters[AT_OUTPUT_BIAS + v];

        for (int h = 0; h < HIDDEN; h++)
            sum += output_weights[v * HIDDEN + h] * activations->hidden[h];
        activations->probabilities[v] = sum;
    }
    softmax(activations->probabilities, VOCABULARY);
    return -logf(fmaxf(activations->probabilities[window[CONTEXT]], 1e-12f));
}

void model_backward(const struct model *model, const unsigned char *window, const struct activations *activations,
                    float *gradients)
{
    const float *hidden_weights = model->parameters + AT_HIDDEN_WEIGHTS;
    const float *output_weights = model->parameters + AT_OUTPUT_WEIGHTS;
    float hidden_error[HIDDEN] = {0};
    float input_error[INPUT] = {0};

    for (int v = 0; v < VOCABULARY; v++) {
        float error = activations->probabilities[v] - (v == window[CONTEXT] ? 1.0f : 0.0f);

        gradients[AT_OUTPUT_BIAS + v] += error;
        for (int h = 0; h < HIDDEN; h++) {
            gradients[AT_OUTPUT_WEIGHTS + v * HIDDEN + h] += error * activations->hidden[h];
            hidden_error[h] += error * output_weights[v * HIDDEN + h];
        }
    }
    for (int h = 0; h < HIDDEN; h++) {
        float error = hidden_error[h] * (1.0f - activations->hidden[h] * activations->hidden[h]);

        gradients[AT_HIDDEN_BIAS + h] += error;
        for (int i = 0; i < INPUT; i++) {
            gradients[AT_HIDDEN_WEIGHTS + h * INPUT + i] += error * activations->input[i];
            input_error[i] += error * hidden_weights[h * INPUT + i];
        }
    }
    for (int i = 0; i < INPUT; i++) {
        int byte = window[i / EMBEDDING];

        gradients[AT_EMBEDDING + byte * EMBEDDING + i % EMBEDDING] += input_error[i];
    }
}

void model_update(struct model *model, const float *gradients, float rate)
{
    for (size_t i = 0; i < PARAMETER_COUNT; i++)
        model->parameters[i] -= rate * gradients[i];
}
