#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

enum {
    VOCABULARY = 256,
    CONTEXT = 4,
    EMBEDDING = 12,
    INPUT = CONTEXT * EMBEDDING,
    HIDDEN = 32
};

/* Parameters and gradients are one flat array each, laid out alike. */
enum {
    AT_EMBEDDING = 0,
    AT_HIDDEN_WEIGHTS = AT_EMBEDDING + VOCABULARY * EMBEDDING,
    AT_HIDDEN_BIAS = AT_HIDDEN_WEIGHTS + HIDDEN * INPUT,
    AT_OUTPUT_WEIGHTS = AT_HIDDEN_BIAS + HIDDEN,
    AT_OUTPUT_BIAS = AT_OUTPUT_WEIGHTS + VOCABULARY * HIDDEN,
    PARAMETER_COUNT = AT_OUTPUT_BIAS + VOCABULARY
};

struct model {
    float *parameters;
    float input[INPUT];
    float hidden[HIDDEN];
    float probabilities[VOCABULARY];
};

int model_create(struct model *model, uint64_t seed);
void model_destroy(struct model *model);

/* Loss of predicting window[CONTEXT] from the bytes before it; leaves the activations in the model. */
float model_forward(struct model *model, const unsigned char *window);

/* Adds the gradient of the window of the last forward pass to `gradients`. */
void model_backward(struct model *model, const unsigned char *window, float *gradients);

/* One step of gradient descent; each entry is limited to +-limit first. */
void model_update(struct model *model, const float *gradients, float scale, float rate, float limit);

#endif
