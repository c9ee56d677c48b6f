/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef P2V_SCHEMA_H
#define P2V_SCHEMA_H

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* A schema describes a plain C struct whose JSON form is an object, field by field. From it come
 * allocation, release, serialisation and, above all, one checked way of reading JSON that somebody
 * else wrote: every value has its type and range verified before it reaches the struct. Unknown
 * members are ignored (a newer peer); missing ones keep their default. */

typedef struct _P2vSchema P2vSchema;

typedef enum
{
  P2V_FIELD_BOOLEAN,  /* gboolean; default FALSE */
  P2V_FIELD_TRISTATE, /* P2vTristate; absent or null means "not said" */
  P2V_FIELD_INT64,    /* gint64 within [min, max] (both 0: any); default 0 */
  P2V_FIELD_STRING,   /* char *, owned; default NULL, written only when set */
  P2V_FIELD_STRV,     /* char **, owned; default NULL */
  P2V_FIELD_OBJECT,   /* pointer to a struct of field->object, owned; default NULL */
  P2V_FIELD_ARRAY,    /* GPtrArray of structs of field->object, owned, never NULL */
} P2vFieldType;

typedef enum
{
  P2V_UNSET = 0,
  P2V_NO,
  P2V_YES,
} P2vTristate;

typedef struct
{
  const char *name; /* the member's name in JSON; NULL ends a list of fields */
  P2vFieldType type;
  gsize offset; /* of the member in the struct, G_STRUCT_OFFSET */
  const P2vSchema *object;
  gint64 min, max;
} P2vField;

struct _P2vSchema
{
  const char *name; /* what a person calls it, for error messages: "disk" */
  gsize size;       /* of the struct, bytes */
  const P2vField *fields;
};

/* A new struct with every field at its default. Free with p2v_schema_free(). */
gpointer p2v_schema_new (const P2vSchema *schema);

/* Frees a struct and all it owns. instance may be NULL. */
void p2v_schema_free (const P2vSchema *schema, gpointer instance);

/* The struct as a JSON object (transfer full). */
JsonObject *p2v_schema_to_json (const P2vSchema *schema, gconstpointer instance);

/* Reads a struct from JSON. Returns NULL with P2V_ERROR_REFUSED and the member's path ("machine.
 * disks[2].size: expected a number from 1 to …") when a value has the wrong type or range. */
gpointer p2v_schema_from_json (const P2vSchema *schema, JsonObject *object, GError **error);

/* A deep copy. */
gpointer p2v_schema_copy (const P2vSchema *schema, gconstpointer instance);

/* JSON text of an object; indented for people when pretty. */
char *p2v_json_to_text (JsonObject *object, gboolean pretty);

/* Parses JSON text that must be one object. length: bytes, or -1 when NUL-terminated. */
JsonObject *p2v_json_from_text (const char *text, gssize length, GError **error);

/* Shorthands that make a table of fields read like the struct. */
#define P2V_FIELD(type_, struct_, member_)                                                         \
  {                                                                                                \
#member_, P2V_FIELD_##type_, G_STRUCT_OFFSET(struct_, member_), NULL, 0, 0                     \
  }
#define P2V_FIELD_RANGE(struct_, member_, min_, max_)                                              \
  {                                                                                                \
#member_, P2V_FIELD_INT64, G_STRUCT_OFFSET(struct_, member_), NULL, min_, max_                 \
  }
#define P2V_FIELD_NESTED(type_, struct_, member_, schema_)                                         \
  {                                                                                                \
#member_, P2V_FIELD_##type_, G_STRUCT_OFFSET(struct_, member_), schema_, 0, 0                  \
  }
#define P2V_FIELD_END                                                                              \
  {                                                                                                \
    NULL, 0, 0, NULL, 0, 0                                                                         \
  }

/* Declares Type *prefix_new(), prefix_free(), prefix_to_json(), prefix_from_json() and g_autoptr
 * support for a struct with a schema named prefix_schema; P2V_SCHEMA_DEFINE() defines them. */
#define P2V_SCHEMA_DECLARE(Type, prefix)                                                           \
  extern const P2vSchema prefix##_schema;                                                          \
  Type *prefix##_new (void);                                                                       \
  void prefix##_free (Type *self);                                                                 \
  JsonObject *prefix##_to_json (const Type *self);                                                 \
  Type *prefix##_from_json (JsonObject *object, GError **error);                                   \
  G_DEFINE_AUTOPTR_CLEANUP_FUNC (Type, prefix##_free)

#define P2V_SCHEMA_DEFINE(Type, prefix, what, fields_)                                             \
  const P2vSchema prefix##_schema = { what, sizeof (Type), fields_ };                              \
  Type *prefix##_new (void) { return p2v_schema_new (&prefix##_schema); }                          \
  void prefix##_free (Type *self) { p2v_schema_free (&prefix##_schema, self); }                    \
  JsonObject *prefix##_to_json (const Type *self)                                                  \
  {                                                                                                \
    return p2v_schema_to_json (&prefix##_schema, self);                                            \
  }                                                                                                \
  Type *prefix##_from_json (JsonObject *object, GError **error)                                    \
  {                                                                                                \
    return p2v_schema_from_json (&prefix##_schema, object, error);                                 \
  }

G_END_DECLS

#endif
