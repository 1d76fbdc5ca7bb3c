#ifndef CORPUS_H
#define CORPUS_H

#include <stddef.h>
#include <stdint.h>

/* The training text, cut into windows of CONTEXT bytes and the byte that follows. */
struct corpus {
    const unsigned char *text;
    size_t length;
    size_t windows;
    size_t *order;
    uint64_t random_state;
};

int corpus_open(struct corpus *corpus, size_t context, uint64_t seed);
void corpus_close(struct corpus *corpus);

/* Draws a new order of the windows, the same for the same seed. */
void corpus_shuffle(struct corpus *corpus);

/* The window that stands at `place` of the present order. */
const unsigned char *corpus_window(const struct corpus *corpus, size_t place);

#endif
