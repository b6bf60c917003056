/** Variables that change what commands do, beyond their value. */
import type { Field } from './field.ts'
import { keeps, opaque, unseen, type Frame } from './work.ts'

/** Change how a shell reads, finds or starts its commands. */
const shellReads =
  /^(?:PATH|LD_.*|DYLD_.*|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|BASH_FUNC.*|CDPATH|GLOBIGNORE|GCONV_PATH|LOCPATH|GLIBC_TUNABLES|PROMPT_COMMAND|PS[0-4]|POSIXLY_CORRECT|SHELL|HISTFILE|HISTSIZE|HISTCONTROL|HISTIGNORE|EXECIGNORE|INPUTRC|TMOUT|MAIL.*|BASH_LOADABLES_PATH|BASH_XTRACEFD)$/

/** Hold a command that some program runs. */
const commands =
  /^(?:(?:GIT_|MAN|PSQL_|SYSTEMD_|BAT_|DELTA_|AWS_|GH_)?(?:PAGER|EDITOR)|VISUAL|PSQL_EDITOR|GIT_SSH(?:_COMMAND)?|GIT_EXTERNAL_DIFF|GIT_PROXY_COMMAND|GIT_SEQUENCE_EDITOR|(?:GIT_|SSH_|SUDO_)ASKPASS|LESSOPEN|LESSCLOSE|BROWSER|RSYNC_RSH|CVS_RSH|FCEDIT|MAKESHELL)$/

/** Hold options, code or addresses for some program. */
const programReads =
  /^(?:HOME|GIT_.*|NODE_(?:OPTIONS|PATH|REPL.*)|PYTHON.*|PERL5?.*|RUBY(?:OPT|LIB).*|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_.*|CLASSPATH|TAR_OPTIONS|TF_CLI_ARGS.*|TF_.*CONFIG.*|CURL_HOME|WGETRC|RSYNC_.*|PGSERVICEFILE|PGSYSCONFDIR|PGOPTIONS|PSQLRC|(?:https?|all|ftp|no|rsync)_proxy|(?:HTTPS?|ALL|FTP|NO|RSYNC)_PROXY|MAKEFLAGS|GNUMAKEFLAGS|EXINIT|VIMINIT|LESS|LESSKEY.*|ZIPOPT|UNZIP|GZIP|GREP_OPTIONS|AWK(?:PATH|LIBPATH)|SSL_CERT.*|CURL_CA_BUNDLE|HOSTALIASES|RESOLV.*|XDG_CONFIG_.*|NPM_CONFIG_.*|npm_config_.*|PIP_.*|DOCKER_.*|KUBECONFIG|AWS_(?:CONFIG_FILE|PROFILE|ENDPOINT.*)|VAULT_ADDR|COMPOSE_.*|SYSTEMD_.*|MANPATH|MANOPT|TERMINFO|TERMCAP|BASH_COMPAT|PARALLEL.*|RIPGREP_CONFIG_PATH)$/

const harmlessCommands = /^(?:cat|less|more|true|:|vi|vim|nano|less -[A-Za-z]+|)$/

/** How a value is given: to one command, or to all that follow. */
interface Given {
  readonly value: Field
  readonly stays: boolean
}

/** A variable enters the environment of one command (`stays` false) or of all that follow: what it changes. */
export function entersEnvironment(frame: Frame, name: string, given: Given): void {
  if (given.stays && name === 'IFS') keeps(frame, 'variable', name)
  else if (commands.test(name)) holdsCommand(frame, name, given)
  else if (shellReads.test(name)) changesShell(frame, name, given)
  else if (programReads.test(name)) {
    if (given.stays) keeps(frame, 'variable', name)
    unseen(frame, 'dynamic_argument', `${name} changes what programs do`)
  }
}

function holdsCommand(frame: Frame, name: string, given: Given): void {
  if (given.stays) keeps(frame, 'variable', name)
  runsLater(frame, name, given.value)
}

function changesShell(frame: Frame, name: string, given: Given): void {
  if (name === 'PROMPT_COMMAND' || /^PS[0-4]$/.test(name)) promptRuns(frame, name, given.value)
  if (isUsual(name, given.value)) return
  if (given.stays) {
    keeps(frame, 'variable', name)
    frame.shell.hijacked = name
  } else hijacks(frame, name)
}

/** The directories where programs are anyway, or nothing at all. */
function isUsual(name: string, value: Field): boolean {
  if (value.dynamic) return false
  if (name === 'PATH')
    return /^(?:\/(?:usr\/(?:local\/)?)?s?bin)(?::\/(?:usr\/(?:local\/)?)?s?bin)*$/.test(value.text)
  return name === 'TMOUT' || name === 'POSIXLY_CORRECT'
}

function hijacks(frame: Frame, name: string): void {
  const resource = { system: 'host', type: 'environment', name }
  const detail = `${name} changes which code a command runs`
  opaque(frame, { action: 'execute', resource, scope: 'unknown' }, 'dynamic_command', detail)
}

function runsLater(frame: Frame, name: string, value: Field): void {
  if (!value.dynamic && harmlessCommands.test(value.text.trim())) return
  if (value.dynamic) unseen(frame, 'dynamic_command', `${name} holds a command`)
  else {
    const inner = {
      ...frame,
      via: [...frame.via, name],
      conditional: true,
      straight: false,
      depth: frame.depth + 4,
    }
    frame.work.engine.source(inner, value.text)
    unseen(frame, 'dynamic_argument', `${name} changes what programs run`)
  }
}

function promptRuns(frame: Frame, name: string, value: Field): void {
  if (value.dynamic || name !== 'PROMPT_COMMAND') {
    if (value.dynamic || /[`$]/.test(value.text)) unseen(frame, 'dynamic_command', `${name} holds commands`)
    return
  }
  const inner = {
    ...frame,
    via: [...frame.via, name],
    deferred: true,
    straight: false,
    repeat: null,
    depth: frame.depth + 4,
  }
  frame.work.engine.source(inner, value.text)
}
