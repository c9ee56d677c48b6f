/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "p2v-server/profile.h"

#include "common/error.h"
#include "p2v-server/xml.h"

#include <string.h>

/* What a whole file says. */
typedef struct
{
  GPtrArray *profiles; /* of P2vProfile, without the rules outside of profiles */
  GPtrArray *rules;    /* of P2vNetworkRule: those outside of profiles */
} ProfileFile;

static void
network_rule_free (P2vNetworkRule *rule)
{
  g_free (rule->from_type);
  g_free (rule->from_name);
  g_free (rule->to_type);
  g_free (rule->to_name);
  g_free (rule);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (P2vNetworkRule, network_rule_free)

static P2vNetworkRule *
network_rule_copy (const P2vNetworkRule *rule)
{
  P2vNetworkRule *copy = g_new0 (P2vNetworkRule, 1);
  copy->from_type = g_strdup (rule->from_type);
  copy->from_name = g_strdup (rule->from_name);
  copy->to_type = g_strdup (rule->to_type);
  copy->to_name = g_strdup (rule->to_name);
  return copy;
}

static GPtrArray *
network_rules_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)network_rule_free);
}

void
p2v_profile_free (P2vProfile *profile)
{
  if (profile == NULL)
    return;
  g_free (profile->name);
  g_free (profile->method);
  g_free (profile->connection);
  g_free (profile->storage);
  g_free (profile->format);
  g_free (profile->allocation);
  g_clear_pointer (&profile->networks, g_ptr_array_unref);
  g_free (profile);
}

static void
profile_file_free (ProfileFile *self)
{
  g_ptr_array_unref (self->profiles);
  g_ptr_array_unref (self->rules);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProfileFile, profile_file_free)

G_GNUC_PRINTF (3, 4)
static gboolean
fail_at (GError **error, xmlNode *node, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "%s:%ld: %s",
               node->doc->URL != NULL ? (const char *)node->doc->URL : "profiles",
               xmlGetLineNo (node), what);
  return FALSE;
}

static gboolean
is_one_of (const char *text, const char *const *words)
{
  return text != NULL && g_strv_contains (words, text);
}

/* The element that says where traffic goes: <network type="…" name="…"/> or <bridge name="…"/>. */
static gboolean
read_rule_target (P2vNetworkRule *rule, xmlNode *node, GError **error)
{
  static const char *const types[] = { "network", "bridge", "user", NULL };
  rule->to_name = p2v_xml_get_attribute (node, "name");
  if (p2v_xml_is_element (node, "bridge"))
    rule->to_type = g_strdup ("bridge");
  else
    rule->to_type = p2v_xml_get_attribute (node, "type");
  if (!is_one_of (rule->to_type, types))
    return fail_at (error, node,
                    "a network's target needs type=\"network\", \"bridge\" or \"user\"");
  if (strcmp (rule->to_type, "user") == 0)
    g_clear_pointer (&rule->to_name, g_free);
  else if (rule->to_name == NULL || rule->to_name[0] == '\0')
    return fail_at (error, node, "a target of type \"%s\" needs a name", rule->to_type);
  return TRUE;
}

static P2vNetworkRule *
read_rule (xmlNode *node, GError **error)
{
  static const char *const types[] = { "default", "network", "bridge", NULL };
  g_autoptr (P2vNetworkRule) rule = g_new0 (P2vNetworkRule, 1);
  rule->from_type = p2v_xml_get_attribute (node, "type");
  rule->from_name = p2v_xml_get_attribute (node, "name");
  if (!is_one_of (rule->from_type, types))
    {
      fail_at (error, node, "<network> needs type=\"default\", \"network\" or \"bridge\"");
      return NULL;
    }
  if (strcmp (rule->from_type, "default") == 0)
    g_clear_pointer (&rule->from_name, g_free);
  else if (rule->from_name == NULL || rule->from_name[0] == '\0')
    {
      fail_at (error, node, "<network type=\"%s\"> needs a name", rule->from_type);
      return NULL;
    }
  xmlNode *target = xmlFirstElementChild (node);
  if (target == NULL || xmlNextElementSibling (target) != NULL
      || !(p2v_xml_is_element (target, "network") || p2v_xml_is_element (target, "bridge")))
    {
      fail_at (error, node,
               "<network> must hold one <network type=\"…\" name=\"…\"/> that says where its "
               "traffic goes");
      return NULL;
    }
  if (!read_rule_target (rule, target, error))
    return NULL;
  return g_steal_pointer (&rule);
}

static gboolean
add_rule (GPtrArray *rules, xmlNode *node, GError **error)
{
  P2vNetworkRule *rule = read_rule (node, error);
  if (rule == NULL)
    return FALSE;
  g_ptr_array_add (rules, rule);
  return TRUE;
}

/* Reads an element's text into *place, which must be empty still. */
static gboolean
read_text (char **place, xmlNode *node, GError **error)
{
  if (*place != NULL)
    return fail_at (error, node, "<%s> is given twice in one profile", node->name);
  *place = p2v_xml_get_text (node);
  if ((*place)[0] == '\0')
    return fail_at (error, node, "<%s> is empty", node->name);
  return TRUE;
}

static gboolean
read_storage (P2vProfile *profile, xmlNode *node, GError **error)
{
  static const char *const formats[] = { "raw", "qcow2", NULL };
  static const char *const allocations[] = { "sparse", "preallocated", NULL };
  if (!read_text (&profile->storage, node, error))
    return FALSE;
  profile->format = p2v_xml_get_attribute (node, "format");
  profile->allocation = p2v_xml_get_attribute (node, "allocation");
  if (profile->format != NULL && !is_one_of (profile->format, formats))
    return fail_at (error, node, "format=\"%s\" is not one of raw, qcow2", profile->format);
  if (profile->allocation != NULL && !is_one_of (profile->allocation, allocations))
    return fail_at (error, node, "allocation=\"%s\" is not one of sparse, preallocated",
                    profile->allocation);
  return TRUE;
}

static gboolean
read_profile_element (P2vProfile *profile, xmlNode *node, GError **error)
{
  if (p2v_xml_is_element (node, "method"))
    return read_text (&profile->method, node, error);
  if (p2v_xml_is_element (node, "connection"))
    return read_text (&profile->connection, node, error);
  if (p2v_xml_is_element (node, "storage"))
    return read_storage (profile, node, error);
  if (p2v_xml_is_element (node, "network"))
    return add_rule (profile->networks, node, error);
  return fail_at (error, node,
                  "<%s> is not known in a profile; there are <method>, <connection>, <storage> "
                  "and <network>",
                  node->name);
}

static gboolean
is_name_taken (GPtrArray *profiles, const char *name)
{
  for (guint i = 0; i < profiles->len; i++)
    if (strcmp (((P2vProfile *)profiles->pdata[i])->name, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
add_profile (GPtrArray *profiles, xmlNode *node, GError **error)
{
  g_autoptr (P2vProfile) profile = g_new0 (P2vProfile, 1);
  profile->networks = network_rules_new ();
  profile->name = p2v_xml_get_attribute (node, "name");
  if (profile->name == NULL || profile->name[0] == '\0')
    return fail_at (error, node, "<profile> needs a name");
  if (is_name_taken (profiles, profile->name))
    return fail_at (error, node, "there are two profiles named \"%s\"", profile->name);
  for (xmlNode *child = xmlFirstElementChild (node); child != NULL;
       child = xmlNextElementSibling (child))
    if (!read_profile_element (profile, child, error))
      return FALSE;
  if (profile->method == NULL)
    return fail_at (error, node, "profile \"%s\" needs a <method>, e.g. <method>libvirt</method>",
                    profile->name);
  g_ptr_array_add (profiles, g_steal_pointer (&profile));
  return TRUE;
}

static gboolean
read_document (ProfileFile *self, xmlDoc *document, GError **error)
{
  xmlNode *root = xmlDocGetRootElement (document);
  if (!p2v_xml_is_element (root, "virt-v2v"))
    return fail_at (error, root, "the document must be <virt-v2v>, not <%s>", root->name);
  for (xmlNode *node = xmlFirstElementChild (root); node != NULL;
       node = xmlNextElementSibling (node))
    {
      if (p2v_xml_is_element (node, "profile") && !add_profile (self->profiles, node, error))
        return FALSE;
      if (p2v_xml_is_element (node, "network") && !add_rule (self->rules, node, error))
        return FALSE;
    }
  return TRUE;
}

static ProfileFile *
profile_file_load (const char *file, GError **error)
{
  g_autoptr (ProfileFile) self = g_new0 (ProfileFile, 1);
  self->profiles = g_ptr_array_new_with_free_func ((GDestroyNotify)p2v_profile_free);
  self->rules = network_rules_new ();
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) failure = NULL;
  if (!g_file_get_contents (file, &text, &length, &failure))
    {
      if (g_error_matches (failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return g_steal_pointer (&self);
      g_set_error (error, P2V_ERROR, P2V_ERROR_USAGE, "cannot read profiles: %s", failure->message);
      return NULL;
    }
  g_autoptr (xmlDoc) document = p2v_xml_parse (text, length, file, error);
  if (document == NULL || !read_document (self, document, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* Appends copies of those rules that are, or are not, defaults. */
static void
append_rules (GPtrArray *rules, GPtrArray *from, gboolean defaults)
{
  for (guint i = 0; i < from->len; i++)
    {
      const P2vNetworkRule *rule = from->pdata[i];
      if ((rule->from_name == NULL) == defaults)
        g_ptr_array_add (rules, network_rule_copy (rule));
    }
}

GPtrArray *
p2v_profiles_load (const char *file, GError **error)
{
  g_autoptr (ProfileFile) self = profile_file_load (file, error);
  if (self == NULL)
    return NULL;
  for (guint i = 0; i < self->profiles->len; i++)
    {
      P2vProfile *profile = self->profiles->pdata[i];
      GPtrArray *merged = network_rules_new ();
      append_rules (merged, profile->networks, FALSE);
      append_rules (merged, self->rules, FALSE);
      append_rules (merged, profile->networks, TRUE);
      append_rules (merged, self->rules, TRUE);
      g_ptr_array_unref (profile->networks);
      profile->networks = merged;
    }
  return g_ptr_array_ref (self->profiles);
}

GPtrArray *
p2v_network_rules_load (const char *file, GError **error)
{
  g_autoptr (ProfileFile) self = profile_file_load (file, error);
  if (self == NULL)
    return NULL;
  GPtrArray *rules = network_rules_new ();
  append_rules (rules, self->rules, FALSE);
  append_rules (rules, self->rules, TRUE);
  return rules;
}

const P2vNetworkRule *
p2v_network_rules_find (GPtrArray *rules, const char *name)
{
  for (guint i = 0; i < rules->len; i++)
    {
      const P2vNetworkRule *rule = rules->pdata[i];
      if (rule->from_name == NULL || g_strcmp0 (rule->from_name, name) == 0)
        return rule;
    }
  return NULL;
}

P2vProfile *
p2v_profiles_find (GPtrArray *profiles, const char *name, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < profiles->len; i++)
    {
      P2vProfile *profile = profiles->pdata[i];
      if (g_strcmp0 (profile->name, name) == 0)
        return profile;
      g_strv_builder_add (builder, profile->name);
    }
  g_auto (GStrv) names = g_strv_builder_end (builder);
  g_autofree char *list = g_strjoinv (", ", names);
  g_autofree char *shown = g_strescape (name != NULL ? name : "", NULL);
  g_set_error (error, P2V_ERROR, P2V_ERROR_REFUSED,
               "the server has no profile \"%s\"; it has: %s. Name one of them with p2v.profile=, "
               "or add it to the server's profiles file.",
               shown, profiles->len > 0 ? list : "none at all");
  return NULL;
}
