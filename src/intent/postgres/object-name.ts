/** Names of objects in DDL: a table, a list of name parts, a function with its arguments, a type. */
import type { Run } from './model.ts'
import { relationOf, shownName } from './relation.ts'
import { unknownName } from './run.ts'
import type { Node, RoleSpec } from './tree.ts'
import { stringsOf, valueText } from './tree.ts'

/** How effects name an object, and its schema where it has one. */
export interface ObjectName {
  readonly name: string
  readonly schema: string | null
}

/** Names the object of a node. `inSchema` is false for what lives beside schemas: roles, databases, extensions. */
export function objectName(run: Run, node: Node | undefined, inSchema = true): ObjectName {
  if (node === undefined) return { name: unknownName, schema: null }
  if ('RangeVar' in node) {
    const relation = relationOf(run, node.RangeVar)
    return { name: relation.shown, schema: relation.schema || null }
  }
  if ('RoleSpec' in node) return { name: roleName(node.RoleSpec), schema: null }
  return partsName(run, partsOf(node), inSchema)
}

/** Names an object by its parts. */
export function partsName(run: Run, parts: readonly string[], inSchema = true): ObjectName {
  if (parts.length === 0) return { name: unknownName, schema: null }
  return inSchema ? shownName(run, parts) : { name: parts.join('.'), schema: null }
}

/** The parts of a name, whatever node holds them. */
export function partsOf(node: Node): string[] {
  if ('List' in node) return (node.List.items ?? []).flatMap(partsOf)
  if ('ObjectWithArgs' in node) return stringsOf(node.ObjectWithArgs.objname)
  if ('TypeName' in node) return stringsOf(node.TypeName.names)
  if ('RangeVar' in node) {
    const { schemaname, relname = unknownName } = node.RangeVar
    return schemaname === undefined ? [relname] : [schemaname, relname]
  }
  const text = valueText(node)
  return text === null ? [] : [text]
}

const roleWords: Readonly<Record<string, string>> = {
  ROLESPEC_CURRENT_ROLE: 'current_role',
  ROLESPEC_CURRENT_USER: 'current_user',
  ROLESPEC_SESSION_USER: 'session_user',
  ROLESPEC_PUBLIC: '*',
}

/** A role's name; `*` for PUBLIC. */
export function roleName(role: RoleSpec | undefined): string {
  return role?.rolename ?? roleWords[role?.roletype ?? ''] ?? unknownName
}

const objectTypes: Readonly<Record<string, string>> = {
  OBJECT_MATVIEW: 'materialized_view',
  OBJECT_FDW: 'foreign_data_wrapper',
  OBJECT_FOREIGN_SERVER: 'server',
  OBJECT_STATISTIC_EXT: 'statistics',
  OBJECT_TSCONFIGURATION: 'text_search_configuration',
  OBJECT_TSDICTIONARY: 'text_search_dictionary',
  OBJECT_TSPARSER: 'text_search_parser',
  OBJECT_TSTEMPLATE: 'text_search_template',
  OBJECT_OPCLASS: 'operator_class',
  OBJECT_OPFAMILY: 'operator_family',
  OBJECT_TABCONSTRAINT: 'constraint',
  OBJECT_DOMCONSTRAINT: 'constraint',
  OBJECT_LARGEOBJECT: 'large_object',
}

/** How effects call a type of object: `OBJECT_FOREIGN_TABLE` is `foreign_table`. */
export function objectTypeName(type: string | undefined): string {
  if (type === undefined) return 'object'
  return objectTypes[type] ?? type.replace(/^OBJECT_/, '').toLowerCase()
}
