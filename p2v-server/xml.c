/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/xml.h"

#include "common/error.h"

#include <string.h>

/* Far beyond any file that we read; libxml2 counts in int. */
#define MAX_LENGTH (64 * 1024 * 1024)

#define XML(text) ((const xmlChar *)(text))

typedef xmlParserCtxt XmlParser;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (XmlParser, xmlFreeParserCtxt)
typedef xmlChar XmlText;
static void
xml_text_free (XmlText *text)
{
  xmlFree (text);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (XmlText, xml_text_free)

static void
fail_at (GError **error, const char *name, int line, const char *what)
{
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s:%d: %s", name, line, what);
}

xmlDoc *
p2v_xml_parse (const char *text, gsize length, const char *name, GError **error)
{
  if (length > MAX_LENGTH)
    {
      fail_at (error, name, 1, "too large");
      return NULL;
    }
  g_autoptr (XmlParser) parser = xmlNewParserCtxt ();
  g_autoptr (xmlDoc) document = xmlCtxtReadMemory (parser, text, (int)length, name, NULL,
                                                   XML_PARSE_NONET | XML_PARSE_NOERROR
                                                       | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
  if (document == NULL)
    {
      xmlErrorPtr failure = xmlCtxtGetLastError (parser);
      g_autofree char *what
          = g_strdup (failure != NULL && failure->message != NULL ? failure->message : "not XML");
      fail_at (error, name, failure != NULL ? failure->line : 1, g_strchomp (what));
      return NULL;
    }
  if (document->intSubset != NULL || document->extSubset != NULL)
    {
      fail_at (error, name, 1, "a document type declaration (<!DOCTYPE …>) is not accepted");
      return NULL;
    }
  return g_steal_pointer (&document);
}

gboolean
p2v_xml_is_element (const xmlNode *node, const char *name)
{
  return node != NULL && node->type == XML_ELEMENT_NODE && xmlStrEqual (node->name, XML (name));
}

xmlNode *
p2v_xml_find_child (xmlNode *node, const char *name)
{
  xmlNode *child = xmlFirstElementChild (node);
  while (child != NULL && !p2v_xml_is_element (child, name))
    child = xmlNextElementSibling (child);
  return child;
}

char *
p2v_xml_get_attribute (xmlNode *node, const char *name)
{
  g_autoptr (XmlText) value = xmlGetNoNsProp (node, XML (name));
  return g_strdup ((const char *)value);
}

char *
p2v_xml_get_text (xmlNode *node)
{
  g_autoptr (XmlText) value = xmlNodeGetContent (node);
  return g_strstrip (g_strdup (value != NULL ? (const char *)value : ""));
}

xmlNode *
p2v_xml_add (xmlNode *parent, const char *name, const char *format, ...)
{
  if (format == NULL)
    return xmlNewChild (parent, NULL, XML (name), NULL);
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return xmlNewTextChild (parent, NULL, XML (name), XML (text));
}

char *
p2v_xml_to_text (xmlDoc *document)
{
  xmlChar *dumped = NULL;
  int length = 0;
  xmlDocDumpFormatMemoryEnc (document, &dumped, &length, "UTF-8", 1);
  g_autoptr (XmlText) text = dumped;
  return g_strndup ((const char *)text, length > 0 ? (gsize)length : 0);
}
