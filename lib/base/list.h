/*
 * list.h: doubly linked lists through members of their items, and the struct around a member.
 *
 * A list is any struct with first and last, an item any struct with next and prev; an item is on
 * one list at a time. The macros evaluate their arguments more than once.
 */
#ifndef FIT_BASE_LIST_H
#define FIT_BASE_LIST_H

#include <stddef.h>

#define LIST_APPEND(list, item)                                          \
    do {                                                                 \
        (item)->next = NULL;                                             \
        (item)->prev = (list)->last;                                     \
        *((list)->last ? &(list)->last->next : &(list)->first) = (item); \
        (list)->last = (item);                                           \
    } while (0)

#define LIST_PREPEND(list, item)                                          \
    do {                                                                  \
        (item)->prev = NULL;                                              \
        (item)->next = (list)->first;                                     \
        *((list)->first ? &(list)->first->prev : &(list)->last) = (item); \
        (list)->first = (item);                                           \
    } while (0)

#define LIST_REMOVE(list, item)                                                \
    do {                                                                       \
        *((item)->prev ? &(item)->prev->next : &(list)->first) = (item)->next; \
        *((item)->next ? &(item)->next->prev : &(list)->last) = (item)->prev;  \
    } while (0)

/* The struct of that type whose member this points to: how an embedded watch finds its owner. */
#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
