/* A station of sensors made by X-macros, kept in a linked list; the beacon reads the counts without the lock and is let loose.
 *
 * clean: no
 * run: race
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SENSORS(X) X(wind, 40) X(rain, 25) X(light, 90)

enum sensor_kind {
#define X(name, scale) K_##name,
    SENSORS(X)
#undef X
        K_COUNT
};

static const char *const kind_name[K_COUNT] = {
#define X(name, scale) [K_##name] = #name,
    SENSORS(X)
#undef X
};

static const int kind_scale[K_COUNT] = {
#define X(name, scale) [K_##name] = scale,
    SENSORS(X)
#undef X
};

struct sensor {
    struct sensor *next;
    pthread_t thread;
    enum sensor_kind kind;
};

static pthread_mutex_t station_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long readings[K_COUNT];
static unsigned long strongest[K_COUNT];

static void *sense(void *arg)
{
    const struct sensor *s = arg;
    unsigned long value;

    for (int i = 0; i < 100; i++) {
        value = (unsigned long)(i * 37 % kind_scale[s->kind]);
        pthread_mutex_lock(&station_lock);
        readings[s->kind]++; /* expect: CR001 #count */
        if (value > strongest[s->kind])
            strongest[s->kind] = value;
        pthread_mutex_unlock(&station_lock);
        usleep(100);
    }
    return NULL;
}

static void *beacon(void *unused)
{
    for (int flash = 0; flash < 20; flash++) {
        unsigned long all = 0;

        for (int k = 0; k < K_COUNT; k++)
            all += readings[k]; /* expect: CR001 #count */
        fprintf(stderr, "beacon %d: %lu\n", flash, all);
        usleep(200);
    }
    return unused;
}

static struct sensor *sensor_start(enum sensor_kind kind, struct sensor *next)
{
    struct sensor *s = malloc(sizeof *s);

    if (!s)
        abort();
    s->next = next;
    s->kind = kind;
    pthread_create(&s->thread, NULL, sense, s);
    return s;
}

int main(void)
{
    struct sensor *list = NULL, *s;
    pthread_t light;

    for (int k = 0; k < K_COUNT; k++)
        list = sensor_start((enum sensor_kind)k, list);
    pthread_create(&light, NULL, beacon, NULL); /* expect: CT003 */
    while ((s = list) != NULL) {
        list = s->next;
        pthread_join(s->thread, NULL);
        printf("%s joined\n", kind_name[s->kind]);
        free(s);
    }
    for (int k = 0; k < K_COUNT; k++)
        printf("%s: %lu readings, strongest %lu\n", kind_name[k], readings[k], strongest[k]);
    return EXIT_SUCCESS;
}
