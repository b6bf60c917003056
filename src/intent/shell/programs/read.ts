/** Programs that read files, directories or the state of the machine, and print. */
import type { Use } from '../call.ts'
import { all, has, last } from '../options.ts'
import { placeOf } from '../path.ts'
import { number, type Stream } from '../stream.ts'
import { listPlace, writePlace } from '../touch.ts'
import { evaluateField } from '../evaluate.ts'
import { emit, nothing, opaqueProgram, unseen } from '../work.ts'
import { lenient, orHere, program, readsOperands, type Row } from './row.ts'
import type { Field } from '../field.ts'
import type { Effect } from '../../intent.ts'

function reads(use: Use): undefined {
  const { operands } = use.options
  if (operands.length === 0) nothing(use.frame, use.name)
  readsOperands(use, operands)
}

/** The first operand is a pattern or a program, unless a flag brought it. */
function searches(use: Use): undefined {
  const { options, frame } = use
  const given = has(options, 'e') || has(options, 'f')
  for (const file of all(options, 'f')) readsOperands(use, [file])
  const files = given ? options.operands : options.operands.slice(1)
  const deep = has(options, 'r') || /^(?:rg|ag|ack)$/.test(use.name)
  if (!deep) {
    if (files.length === 0) nothing(frame, use.name)
    readsOperands(use, files)
  } else if (files.length > 0 || !frame.stdin.connected || has(options, 'r'))
    readsOperands(use, orHere(files), 'bulk', 'directory')
  else nothing(frame, use.name)
}

function ripgrep(use: Use): undefined {
  const { options, frame } = use
  for (const flag of ['pre', 'hostname-bin']) {
    const command = last(options, flag)
    if (command !== undefined) opaqueProgram(frame, 'rg', 'dynamic_command', `--${flag} runs a program`)
  }
  if (use.args.some((arg) => arg.text.startsWith('--files')))
    readsOperands(use, orHere(options.operands), 'bulk', 'directory')
  else searches(use)
}

function lists(use: Use): undefined {
  const deep = has(use.options, 'R') || use.name === 'tree' || use.name === 'du'
  const output = use.name === 'tree' ? last(use.options, 'o') : undefined
  if (output !== undefined) writePlace(use.frame, placeOf(use.frame, output), { action: 'write' })
  for (const operand of orHere(use.options.operands))
    listPlace(use.frame, placeOf(use.frame, operand), deep || operand.glob ? 'bulk' : 'single')
}

function inspects(use: Use): undefined {
  if (use.name === 'file' && has(use.options, 'C'))
    opaqueProgram(use.frame, 'file', 'unsupported_syntax', 'a table of file types is compiled')
  if (use.options.operands.length === 0) nothing(use.frame, use.name)
  for (const operand of use.options.operands)
    listPlace(use.frame, placeOf(use.frame, operand), operand.glob ? 'bulk' : 'single', 'file')
}

function wc(use: Use): Stream | undefined {
  reads(use)
  return use.options.operands.length === 0 ? number : undefined
}

function sort(use: Use): undefined {
  const { options, frame } = use
  readsOperands(use, options.operands)
  for (const output of all(options, 'o')) writePlace(frame, placeOf(frame, output), { action: 'write' })
  const compressor = last(options, 'compress-program')
  if (compressor !== undefined) evaluateField(frame, compressor, { via: ['sort', 'sh'], dialect: 'sh' })
  if (has(options, 'files0-from')) unseen(frame, 'runtime_input', 'sort reads the names of files from a file')
  if (options.operands.length === 0 && !has(options, 'o')) nothing(frame, 'sort')
}

/** The second operand is written. */
function uniq(use: Use): undefined {
  const [input, output] = use.options.operands
  if (input === undefined) nothing(use.frame, 'uniq')
  else readsOperands(use, [input])
  if (output !== undefined) writePlace(use.frame, placeOf(use.frame, output), { action: 'write' })
}

/** `diff -r` reads all below. */
function compares(use: Use): undefined {
  const deep = has(use.options, 'r')
  readsOperands(use, use.options.operands, deep ? 'bulk' : 'single', deep ? 'directory' : 'file')
}

/** `+!cmd` and `-o`: a pager runs and writes what its flags say. */
function pages(use: Use): undefined {
  const { options, frame } = use
  if (use.args.some((arg) => arg.text.startsWith('+') || arg.dynamic)) {
    const risky = use.args.some((arg) => arg.text.startsWith('+') && !/^\+(?:G|F|\d+|\/.*)$/.test(arg.text))
    if (risky) opaqueProgram(frame, use.name, 'interactive_session', 'commands of a pager')
  }
  for (const log of all(options, 'o')) writePlace(frame, placeOf(frame, log), { action: 'write' })
  readsOperands(
    use,
    options.operands.filter((operand) => !operand.text.startsWith('+')),
  )
  if (options.operands.length === 0) nothing(frame, use.name)
}

function jq(use: Use): undefined {
  const { options, frame } = use
  const bound = boundValues(use)
  readsOperands(use, [...all(options, 'f'), ...bound.files])
  const operands = options.operands.filter((word) => !bound.all.has(word))
  const filter = has(options, 'f') ? undefined : operands[0]
  const files = filter === undefined ? operands : operands.slice(1)
  if (filter !== undefined && /\benv\b|\$ENV\b/.test(filter.text)) readsEnvironment(use)
  if (has(options, 'args')) nothing(frame, 'jq')
  else readsOperands(use, files)
  if (files.length === 0) nothing(frame, 'jq')
}

/** `--arg name value`, `--slurpfile name file`: the second word is no operand. */
function boundValues(use: Use): { readonly all: ReadonlySet<Field>; readonly files: readonly Field[] } {
  const bound = new Set<Field>()
  const files: Field[] = []
  use.args.forEach((arg, at) => {
    const second = use.args[at + 2]
    if (second === undefined || !/^--(?:arg|argjson|slurpfile|rawfile)$/.test(arg.text)) return
    bound.add(second)
    if (arg.text.endsWith('file')) files.push(second)
  })
  return { all: bound, files }
}

function readsEnvironment(use: Use): Effect {
  const resource = { system: 'host', type: 'environment', name: '*' }
  return emit(use.frame, {
    action: 'read',
    resource,
    scope: 'bulk',
    sensitivity: 'unknown',
    reversible: 'yes',
  })
}

function printenv(use: Use): undefined {
  const names = use.options.operands
  if (names.length === 0) readsEnvironment(use)
  for (const { text } of names) {
    const harmless =
      /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|LANG|LC_\w+|TERM|HOSTNAME|TZ|EDITOR|PAGER|DISPLAY)$/.test(text)
    const resource = { system: 'host', type: 'environment', name: text }
    emit(use.frame, {
      action: 'read',
      resource,
      scope: 'single',
      sensitivity: harmless ? 'none' : 'unknown',
      reversible: 'yes',
    })
  }
}

const grepFlags =
  'E|extended-regexp F|fixed-strings G|basic-regexp P|perl-regexp e|regexp= f|file= i|y|ignore-case no-ignore-case v|invert-match w|word-regexp x|line-regexp c|count color? colour? L|files-without-match l|files-with-matches m|max-count= o|only-matching q|quiet|silent s|no-messages b|byte-offset H|with-filename h|no-filename label= n|line-number T|initial-tab Z|null A|after-context= B|before-context= C|context= a|text binary-files= D|devices= d|directories= exclude= exclude-from= exclude-dir= I include= r|R|recursive|dereference-recursive line-buffered U|binary z|null-data #'

const rgFlags =
  'e|regexp= f|file= i|ignore-case S|smart-case s|case-sensitive v|invert-match w|word-regexp x|line-regexp c|count l|files-with-matches m|max-count= o|only-matching q|quiet H|with-filename I|no-filename n|line-number N|no-line-number A|after-context= B|before-context= C|context= a|text g|glob= iglob= t|type= T|type-not= type-add= u|unrestricted L|follow M|max-columns= j|threads= E|encoding= r|replace= d|max-depth= color= colors= sort= sortr= pre= pre-glob= hostname-bin= files hidden no-ignore U|multiline P|pcre2 F|fixed-strings p|pretty json vimgrep heading no-heading stats trim z|search-zip 0|null'

const readers: Readonly<Record<string, string>> = {
  head: 'c|bytes= n|lines= q|quiet|silent v|verbose z #',
  tail: 'c|bytes= n|lines= f|follow? F q|quiet|silent v|verbose z retry pid= s|sleep-interval= max-unchanged-stats= #',
  nl: 'b= d= f= h= i= l= n= p s= v= w=',
  od: 'A= j= N= t= w? v S= a b c d f i l o s x',
  hexdump: 'b c C d n= o s= v x e= f=',
  hd: 'n= s= v',
  strings: 'a f n|bytes= t|radix= e|encoding= w o #',
  cut: 'b|bytes= c|characters= d|delimiter= f|fields= n s|only-delimited z complement output-delimiter=',
  paste: 'd|delimiters= s|serial z',
  join: 'a= e= i 1= 2= j= o= t= v= z',
  comm: '1 2 3 z check-order nocheck-order output-delimiter= total',
  column: 't|table s|separator= o|output-separator= c|output-width= N|table-columns= J|json n x',
  fold: 'b|bytes s|spaces w|width=',
  fmt: 'c p= s t u w|width= g=',
  expand: 'i t|tabs=',
  unexpand: 'a t|tabs= first-only',
  md5sum: 'b c|check t tag z quiet status strict w',
  sha1sum: 'b c|check t tag z quiet status strict w',
  sha224sum: 'b c|check t tag z quiet status strict w',
  sha256sum: 'b c|check t tag z quiet status strict w',
  sha384sum: 'b c|check t tag z quiet status strict w',
  sha512sum: 'b c|check t tag z quiet status strict w',
  shasum: 'a= b c|check t q s w',
  b2sum: 'b c|check l= t tag z quiet status strict w',
  cksum: 'a= c z b t tag untagged',
  sum: 'r s',
  zcat: 'f q v',
  bzcat: 'q',
  xzcat: 'q',
  zstdcat: 'q',
  cmp: 'b l s n= i= print-bytes',
  crc32: '',
}

const inspectors: Readonly<Record<string, string>> = {
  file: 'b C c f= F= i k L m= n N p r s z 0',
  stat: 'L f c|format= printf= t cached=',
  readlink: 'f e m n q s v z',
  realpath: 'e m L P q s relative-to= relative-base= z',
  df: 'a B= h H i k l P sync t= T x= total output?',
  namei: 'x m o l v',
  findmnt: 'a c D d= f i J k l n o= O= p P r R s S= t= T= u v w= M=',
  getfacl: 'a d c e E s R t p n L P',
  lsattr: 'R a d v p l V',
}

export const readPrograms: readonly Row[] = [
  ...Object.entries(readers).map(([name, flags]) => lenient(name, flags, reads)),
  ...Object.entries(inspectors).map(([name, flags]) => lenient(name, flags, inspects)),
  ...['grep', 'egrep', 'fgrep', 'zgrep'].map((name) => lenient(name, grepFlags, searches)),
  program('rg', rgFlags, ripgrep),
  lenient('wc', 'c m l L w files0-from= total=', wc),
  lenient(
    'ls',
    'I= T= w= R|recursive color? format= hide= ignore= indicator-style= quoting-style= sort= tabsize= time= time-style= width= block-size=',
    lists,
  ),
  lenient('dir', 'R', lists),
  lenient('vdir', 'R', lists),
  lenient(
    'du',
    'a A b B|block-size= c d|max-depth= D h H k l L m P s S t= x X= exclude= time? time-style=',
    lists,
  ),
  lenient('tree', 'a d f i l x P= I= L= o= H= T= R filelimit= charset= sort= timefmt=', lists),
  program(
    'sort',
    'b d f g h i k= m M n o|output= R r|reverse s S= t= T= u V z c? C compress-program= files0-from= parallel= batch-size= random-source= sort= key= field-separator= buffer-size= numeric-sort unique version-sort human-numeric-sort ignore-case ignore-leading-blanks stable check? debug zero-terminated temporary-directory= merge random-sort general-numeric-sort month-sort dictionary-order ignore-nonprinting',
    sort,
  ),
  lenient(
    'uniq',
    'c d D f= i s= u w= z all-repeated? group? skip-fields= skip-chars= check-chars= count repeated unique ignore-case #',
    uniq,
  ),
  lenient(
    'diff',
    'r|recursive u U= c C= q i w b B y W= N a s I= x= X= S= p E Z t T l L= label= unified? context? color? exclude= width= brief side-by-side new-file suppress-common-lines',
    compares,
  ),
  program('sdiff', 'r w= s i W b B l E Z t', compares),
  program(
    'less',
    'o|O|log-file|LOG-FILE= p|pattern= P|prompt= x|tabs= y= z|window= b|buffers= h= j|jump-target= # a A B c C d D= e E f F|quit-if-one-screen g G i I J K L|no-lessopen m M n N|LINE-NUMBERS q Q r R|RAW-CONTROL-CHARS s S|chop-long-lines u U V w W X|no-init ~ use-color follow-name',
    pages,
  ),
  lenient('more', 'n= #', pages),
  program(
    'jq',
    'c r j a s n e C S M R f|from-file= L= tab indent= arg= argjson= rawfile= slurpfile= args jsonargs unbuffered stream seq exit-status compact-output raw-output join-output slurp null-input sort-keys raw-input ascii-output color-output monochrome-output raw-output0 stream-errors',
    jq,
  ),
  lenient('printenv', '0', printenv),
]
