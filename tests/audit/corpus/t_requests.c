/* A request server in miniature: one thread per request, whose handle is thrown away with neither join nor detach.
 *
 * clean: no
 * run: leak
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUESTS 10

struct server {
    pthread_mutex_t lock;
    pthread_cond_t idle;
    int open_requests;
    long answered;
};

struct request {
    struct server *server;
    int number;
};

static long answer(int number)
{
    long value = number;
    while (value < 1000000)
        value = value * 3 + 1;
    return value;
}

static void *handle_request(void *argument)
{
    struct request *request = argument;
    struct server *server = request->server;
    long value = answer(request->number);
    free(request);

    pthread_mutex_lock(&server->lock);
    server->answered += value % 97;
    if (--server->open_requests == 0)
        pthread_cond_signal(&server->idle);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static int accept_request(struct server *server, int number)
{
    pthread_t handler;
    struct request *request = malloc(sizeof *request);
    if (request == NULL)
        return -1;
    request->server = server;
    request->number = number;
    pthread_mutex_lock(&server->lock);
    server->open_requests++;
    pthread_mutex_unlock(&server->lock);
    return pthread_create(&handler, NULL, handle_request, request); /* expect: CT003 */
}

int main(void)
{
    static struct server server = {.lock = PTHREAD_MUTEX_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};

    for (int number = 1; number <= REQUESTS; number++)
        if (accept_request(&server, number) != 0)
            return EXIT_FAILURE;
    pthread_mutex_lock(&server.lock);
    while (server.open_requests > 0)
        pthread_cond_wait(&server.idle, &server.lock);
    printf("answer code %ld\n", server.answered);
    pthread_mutex_unlock(&server.lock);
    return EXIT_SUCCESS;
}
