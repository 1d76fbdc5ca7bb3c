/* Crawler of a made-up site and its index: both files have a static `run`, a static `lock` and a static `take` of their own.
 *
 * clean: yes
 * run: ok
 */
#include "parts.h"

#include <stdio.h>

int main(void)
{
    index_start();
    crawl_start();
    crawl_finish();
    index_finish();
    printf("%d pages, %ld words\n", crawl_pages(), index_words());
    return 0;
}
