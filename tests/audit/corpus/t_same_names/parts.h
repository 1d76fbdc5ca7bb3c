#ifndef PARTS_H
#define PARTS_H

void crawl_start(void);
void crawl_finish(void);
int crawl_pages(void);

void index_start(void);
void index_add(int page, int words);
void index_finish(void);
long index_words(void);

#endif
