#include "split.h"

void split_samples(const struct config *config, struct share *shares)
{
    size_t per_worker = config->samples / config->workers; /* expect: CS002 #1 */

    for (size_t i = 0; i < config->workers; i++) {
        shares[i].offset = i * per_worker; /* expect: CS002 #1 */
        shares[i].count = per_worker; /* expect: CS002 #1 */
    }
}
