/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubly linked, circular lists; the node lives inside what it links.
 */
#ifndef BULKHEAD_LIST_H
#define BULKHEAD_LIST_H

#include "include/compiler.h"

struct list {
	struct list *next;
	struct list *prev;
};

static inline void list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_is_empty(const struct list *list)
{
	return list->next == list;
}

/* Before position: position being the head, at the end. */
static inline void list_insert(struct list *position, struct list *node)
{
	node->prev = position->prev;
	node->next = position;
	position->prev->next = node;
	position->prev = node;
}

/* The node, which must not be asked whether it is empty, goes or moves. */
static inline void list_unlink(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
}

static inline void list_remove(struct list *node)
{
	list_unlink(node);
	list_init(node);
}

#define list_entry(node, type, member) container_of(node, type, member)

#endif
