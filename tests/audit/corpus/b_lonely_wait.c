/* Two-stage log formatter: the writer waits at the "formatted" barrier of two, the formatter never comes.
 *
 * clean: no
 * allow: CR001 CT001
 * run: hang
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LINES 16
#define WIDTH 64

typedef struct {
    pthread_barrier_t formatted;
    char lines[LINES][WIDTH];
    size_t bytes_written;
} LogPage;

static void *format_page(void *argument)
{
    LogPage *page = argument;
    for (int i = 0; i < LINES; i++)
        snprintf(page->lines[i], WIDTH, "%04d: temperature %d.%d", i, 20 + i % 5, i % 10);
    return NULL;
}

static void *write_page(void *argument)
{
    LogPage *page = argument;
    size_t bytes = 0;
    pthread_barrier_wait(&page->formatted); /* expect: CB004 #1 */
    for (int i = 0; i < LINES; i++)
        bytes += strlen(page->lines[i]);
    page->bytes_written = bytes;
    return NULL;
}

int main(void)
{
    static LogPage page;
    pthread_t formatter, writer;

    pthread_barrier_init(&page.formatted, NULL, 2); /* expect: CB004 #1 */
    pthread_create(&formatter, NULL, format_page, &page);
    pthread_create(&writer, NULL, write_page, &page);
    pthread_join(formatter, NULL);
    pthread_join(writer, NULL);
    pthread_barrier_destroy(&page.formatted);
    printf("%zu bytes\n", page.bytes_written);
    return 0;
}
