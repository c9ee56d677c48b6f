/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SERVER_XML_H
#define P2V_SERVER_XML_H

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

G_BEGIN_DECLS

G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlDoc, xmlFreeDoc)

/* Parses XML that has a root element. Nothing else is ever read for it, neither from the network
 * nor from a file; a document type declaration is refused, and with it every entity. name: what to
 * call it in errors ("NAME:LINE: …"). Fails with P2V_ERROR_USAGE. */
xmlDoc *p2v_xml_parse (const char *text, gsize length, const char *name, GError **error);

/* TRUE when node is an element of that name. */
gboolean p2v_xml_is_element (const xmlNode *node, const char *name);

/* The first child element of that name, NULL for none. */
xmlNode *p2v_xml_find_child (xmlNode *node, const char *name);

/* An attribute's value, NULL when it is absent (transfer full, g_free). */
char *p2v_xml_get_attribute (xmlNode *node, const char *name);

/* An element's text without the white space around it, "" for none (transfer full, g_free). */
char *p2v_xml_get_text (xmlNode *node);

/* Appends a child element; format and its arguments are its text, NULL for none. Text is escaped.
 */
xmlNode *p2v_xml_add (xmlNode *parent, const char *name, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* The whole document as text (transfer full, g_free). */
char *p2v_xml_to_text (xmlDoc *document);

G_END_DECLS

#endif
