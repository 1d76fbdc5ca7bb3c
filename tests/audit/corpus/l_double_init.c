/* A ticket counter whose constructor sets up the embedded queue lock, which main then initialises a second time.
 *
 * clean: no
 * run: ok
 */
#include <pthread.h>
#include <stdio.h>

#define WINDOWS 3
#define CUSTOMERS 30

typedef struct {
    pthread_mutex_t lock;
    int next;
    int last;
} Line;

typedef struct {
    Line line;
    int served[WINDOWS];
} Office;

typedef struct {
    Office *office;
    int window;
} Window;

static void line_init(Line *line, int customers)
{
    pthread_mutex_init(&line->lock, NULL); /* expect: CD002 #1 */
    line->next = 0;
    line->last = customers;
}

static void office_init(Office *office)
{
    line_init(&office->line, 0); /* expect: CD002 #1 */
    for (int i = 0; i < WINDOWS; i++)
        office->served[i] = 0;
}

static int line_call_next(Line *line)
{
    int customer = -1;

    pthread_mutex_lock(&line->lock);
    if (line->next < line->last)
        customer = line->next++;
    pthread_mutex_unlock(&line->lock);
    return customer;
}

static void *serve(void *argument)
{
    Window *window = argument;

    while (line_call_next(&window->office->line) >= 0)
        window->office->served[window->window]++;
    return NULL;
}

int main(void)
{
    Office office;
    Window windows[WINDOWS];
    pthread_t threads[WINDOWS];
    int served = 0;

    office_init(&office);
    line_init(&office.line, CUSTOMERS); /* expect: CD002 #1 */
    for (int i = 0; i < WINDOWS; i++) {
        windows[i] = (Window){ &office, i };
        pthread_create(&threads[i], NULL, serve, &windows[i]);
    }
    for (int i = 0; i < WINDOWS; i++) {
        pthread_join(threads[i], NULL);
        served += office.served[i];
    }
    pthread_mutex_destroy(&office.line.lock);
    printf("%d customers served\n", served);
    return 0;
}
