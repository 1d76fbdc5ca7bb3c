/* A ported Windows-style shop: orders enter the order section and then stock, deliveries stock and then the orders.
 *
 * clean: no
 * check: deadlock
 * run: hang
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

typedef pthread_mutex_t CRITICAL_SECTION, *LPCRITICAL_SECTION;
typedef pthread_t HANDLE;
typedef unsigned long DWORD;
typedef void *LPVOID;

#define WINAPI
#define InitializeCriticalSection(pcs) pthread_mutex_init((pcs), NULL)
#define DeleteCriticalSection(pcs) pthread_mutex_destroy(pcs)

static void EnterCriticalSection(LPCRITICAL_SECTION lpCs)
{
    pthread_mutex_lock(lpCs);
}

static void LeaveCriticalSection(LPCRITICAL_SECTION lpCs)
{
    pthread_mutex_unlock(lpCs);
}

#define SwitchToThread() sched_yield()
#define MAX_ROUNDS 20000

typedef struct _SHOP {
    CRITICAL_SECTION csOrders;
    CRITICAL_SECTION csStock;
    DWORD dwOpenOrders;
    DWORD dwItems;
    DWORD dwSold;
} SHOP, *PSHOP;

static SHOP g_Shop;

static LPVOID WINAPI OrderThreadProc(LPVOID lpParameter)
{
    PSHOP pShop = lpParameter;

    for (DWORD i = 0; i < MAX_ROUNDS; i++) {
        EnterCriticalSection(&pShop->csOrders);
        pShop->dwOpenOrders++;
        SwitchToThread();
        EnterCriticalSection(&pShop->csStock); /* expect: CL005 #order */
        if (pShop->dwItems > 0) {
            pShop->dwItems--;
            pShop->dwOpenOrders--;
            pShop->dwSold++;
        }
        LeaveCriticalSection(&pShop->csStock);
        LeaveCriticalSection(&pShop->csOrders);
    }
    return NULL;
}

static LPVOID WINAPI DeliveryThreadProc(LPVOID lpParameter)
{
    PSHOP pShop = lpParameter;

    for (DWORD i = 0; i < MAX_ROUNDS; i++) {
        EnterCriticalSection(&pShop->csStock);
        pShop->dwItems += 2;
        SwitchToThread();
        EnterCriticalSection(&pShop->csOrders); /* expect: CL005 #order */
        while (pShop->dwOpenOrders > 0 && pShop->dwItems > 0) {
            pShop->dwOpenOrders--;
            pShop->dwItems--;
            pShop->dwSold++;
        }
        LeaveCriticalSection(&pShop->csOrders);
        LeaveCriticalSection(&pShop->csStock);
    }
    return NULL;
}

int main(void)
{
    HANDLE hOrders, hDelivery;

    InitializeCriticalSection(&g_Shop.csOrders);
    InitializeCriticalSection(&g_Shop.csStock);
    pthread_create(&hOrders, NULL, OrderThreadProc, &g_Shop);
    pthread_create(&hDelivery, NULL, DeliveryThreadProc, &g_Shop);
    pthread_join(hOrders, NULL); /* allow: CT001 */
    pthread_join(hDelivery, NULL); /* allow: CT001 */
    DeleteCriticalSection(&g_Shop.csStock);
    DeleteCriticalSection(&g_Shop.csOrders);
    printf("sold %lu, open %lu\n", g_Shop.dwSold, g_Shop.dwOpenOrders);
    return 0;
}
