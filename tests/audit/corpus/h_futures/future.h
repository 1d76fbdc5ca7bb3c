#ifndef FUTURE_H
#define FUTURE_H

typedef struct future future;
typedef long (*future_body)(void *ctx);
typedef void (*future_hook)(void *ctx, long value);

future *future_start(future_body body, void *ctx);
void future_then(future *f, future_hook hook, void *ctx);
long future_get(future *f);
void future_drop(future **f);

#endif
