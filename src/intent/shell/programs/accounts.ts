/** Programs that decide who may log in and what they may do; firewall and kernel settings. */
import type { Use } from '../call.ts'
import { shown, withText, type Field } from '../field.ts'
import { has, last } from '../options.ts'
import { plain, type Stream } from '../stream.ts'
import { emit, nothing, opaqueProgram, unseen } from '../work.ts'
import { lenient, program, type Row } from './row.ts'
import type { EffectAction, Scope } from '../../intent.ts'

interface Change {
  readonly action: EffectAction
  readonly type: string
  readonly scope?: Scope
  readonly level?: string | null
  readonly privileges?: readonly string[]
}

function changes(use: Use, name: Field | undefined, change: Change): Stream {
  const shownName = name === undefined ? '*unknown*' : shown(name.text)
  const privileges = change.privileges
  const found = emit(use.frame, {
    action: change.action,
    resource: { system: 'host', type: change.type, name: shownName },
    scope: change.scope ?? 'single',
    why: use.name,
    reversible: change.action === 'drop' ? 'no' : 'yes',
    privilege:
      privileges === undefined
        ? null
        : {
            grantee: shownName,
            privileges: [...privileges],
            on: null,
            level: change.level ?? null,
            run_as: null,
          },
  })
  if (name?.dynamic === true) unseen(use.frame, 'dynamic_argument', 'the account is not known', found)
  return plain
}

const powerful = /(?:^|,)(?:sudo|wheel|root|admin|adm|docker|lxd|disk|shadow|kvm|libvirt)(?:,|$)/

/** `useradd`, `usermod`, `gpasswd`: groups given are privileges given. */
function grantsAccount(use: Use): Stream {
  const { options } = use
  const groups = [
    last(options, 'G'),
    last(options, 'g'),
    use.name === 'gpasswd' ? options.operands[0] : undefined,
  ]
  const text = groups.map((field) => field?.text ?? '').join(',')
  const uid = last(options, 'u')?.text
  const level = powerful.test(text) || uid === '0' || has(options, 'o') ? 'superuser' : null
  const name = use.name === 'gpasswd' ? (last(options, 'a') ?? last(options, 'd')) : options.operands.at(-1)
  const action = use.name === 'gpasswd' && has(options, 'd') ? 'revoke' : 'grant'
  return changes(use, name, { action, type: 'user', level, privileges: ['login'] })
}

function adduser(use: Use): Stream {
  const [user, group] = use.options.operands
  const level = group !== undefined && powerful.test(group.text) ? 'superuser' : null
  return changes(use, user, {
    action: 'grant',
    type: use.name === 'addgroup' ? 'group' : 'user',
    level,
    privileges: ['login'],
  })
}

function removes(use: Use): Stream {
  const type = /group/.test(use.name) ? 'group' : 'user'
  const scope = has(use.options, 'r') || has(use.options, 'remove-home') ? 'all' : 'single'
  return changes(use, use.options.operands.at(-1), { action: 'drop', type, scope })
}

function group(use: Use): Stream {
  return changes(use, use.options.operands.at(-1), { action: 'grant', type: 'group', privileges: ['member'] })
}

function passwd(use: Use): Stream {
  const { options, frame } = use
  if (has(options, 'S')) {
    nothing(frame, 'passwd')
    return plain
  }
  const action = has(options, 'l') || has(options, 'e') ? 'revoke' : 'grant'
  return changes(use, options.operands[0], { action, type: 'user', privileges: ['login'] })
}

/** Reads accounts and passwords from its input. */
function bulkPasswords(use: Use): Stream {
  unseen(use.frame, 'runtime_input', `${use.name} reads accounts from its input`)
  return changes(use, undefined, { action: 'grant', type: 'user', scope: 'unknown', privileges: ['login'] })
}

function visudo(use: Use): Stream {
  if (has(use.options, 'c')) nothing(use.frame, 'visudo')
  else {
    opaqueProgram(use.frame, 'visudo', 'interactive_session', 'an editor')
    changes(use, undefined, {
      action: 'grant',
      type: 'user',
      scope: 'unknown',
      level: 'superuser',
      privileges: ['sudo'],
    })
  }
  return plain
}

/** `iptables`, `nft`, `ufw`: who may reach the machine. */
function firewall(use: Use): Stream {
  const words = use.args.map((arg) => arg.text)
  const asks = words.every((word) =>
    /^-[LSnvxt]+$|^--(?:list|list-rules|numeric|verbose|line-numbers)|^(?:list|status|verbose|numbered|ruleset|filter|nat|mangle|show)$|^[A-Z]+$/.test(
      word,
    ),
  )
  if (asks && words.some((word) => /^-[A-Za-z]*[LS]|^--list|^(?:list|status|show)$/.test(word))) {
    nothing(use.frame, use.name)
    return plain
  }
  const every = words.some((word) => /^-F|^--flush|^-X|^-P|^--policy|^(?:flush|disable|reset)$/.test(word))
  return changes(use, undefined, { action: 'config', type: 'firewall', scope: every ? 'all' : 'single' })
}

/** `sysctl`, `modprobe`, `setenforce`: the kernel's own settings. */
function kernel(use: Use): Stream {
  const { options, frame } = use
  const writes =
    use.name !== 'sysctl' ||
    has(options, 'w') ||
    has(options, 'p') ||
    has(options, 'system') ||
    options.operands.some((word) => word.text.includes('='))
  if (!writes) {
    nothing(frame, use.name)
    return plain
  }
  if (has(options, 'p') || has(options, 'system')) unseen(frame, 'external_file', 'settings from files')
  const [setting] = options.operands
  const name = setting === undefined ? undefined : withText(setting, setting.text.split('=', 1)[0] ?? '')
  return changes(use, name, { action: 'config', type: 'kernel_setting' })
}

const accountFlags =
  'b|base-dir= c|comment= d|home-dir|home= D|defaults e|expiredate= f|inactive= g|gid= G|groups= k|skel= K|key= l|no-log-init|login= L|lock m|create-home|move-home M|no-create-home N|no-user-group o|non-unique p|password= r|system R= P= s|shell= u|uid= U|user-group|unlock Z= a|append= A|administrators='

export const accountPrograms: readonly Row[] = [
  program('useradd', accountFlags, grantsAccount),
  program(
    'usermod',
    accountFlags.replace('a|append=', 'a|append').replace('l|no-log-init|login=', 'l|login='),
    grantsAccount,
  ),
  program('gpasswd', 'a|add= d|delete= r|remove-password R A|administrators= M|members=', grantsAccount),
  program(
    'adduser',
    'system home= shell= no-create-home uid= gid= ingroup= group disabled-password disabled-login gecos= comment= quiet q allow-bad-names force-badname D G= h= s= H S u=',
    adduser,
  ),
  program('addgroup', 'system gid= g= S quiet', adduser),
  ...['userdel', 'deluser', 'groupdel', 'delgroup'].map((name) =>
    program(name, 'f|force r|remove Z remove-home remove-all-files backup system quiet group', removes),
  ),
  ...['groupadd', 'groupmod'].map((name) =>
    program(name, 'f|force g|gid= K= n|new-name= o p|password= r|system U= a', group),
  ),
  program(
    'passwd',
    'a|all d|delete e|expire k l|lock n|mindays= q S|status u|unlock w|warndays= x|maxdays= i|inactive= stdin',
    passwd,
  ),
  program('chage', 'd= E= I= l|list m= M= W=', passwd),
  program('chpasswd', 'c= e m s= R=', bulkPasswords),
  program('newusers', 'r', bulkPasswords),
  program('visudo', 'c|check f|file= q s x=', visudo),
  ...['iptables', 'ip6tables', 'nft', 'ufw', 'iptables-restore', 'firewall-cmd', 'ipset'].map((name) =>
    lenient(name, '', firewall),
  ),
  program(
    'sysctl',
    'a|all A b|binary e|ignore n|values N|names p|load? q|quiet r|pattern= w|write system',
    kernel,
  ),
  ...['modprobe', 'insmod', 'rmmod', 'depmod'].map((name) =>
    program(name, 'a b c C= d= f F i n q r s S= v V= w', kernel),
  ),
  program('setenforce', '', kernel),
]
