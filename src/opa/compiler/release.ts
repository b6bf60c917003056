/** The pinned compiler: its version, and where its official builds are. */

/** Builds differ between versions, and the default bundle's digest is committed: exactly this one. */
export const compilerVersion = '1.22.0'

/** The Go package that it is built from; `rego/compiler/go.mod` pins its version. */
export const compilerPackage = 'github.com/open-policy-agent/opa'

const assets: Readonly<Record<string, string>> = {
  'linux x64': 'opa_linux_amd64_static',
  'linux arm64': 'opa_linux_arm64_static',
  'darwin x64': 'opa_darwin_amd64',
  'darwin arm64': 'opa_darwin_arm64_static',
}

/** Where the official build for this machine and its published SHA-256 are; undefined when there is none. */
export function releaseUrl(platform: string, architecture: string): string | undefined {
  const asset = assets[`${platform} ${architecture}`]
  return asset === undefined
    ? undefined
    : `https://github.com/open-policy-agent/opa/releases/download/v${compilerVersion}/${asset}`
}

/** The digest in a `.sha256` file (`<64 hexadecimal digits>  <name>`); undefined when it holds none. */
export function publishedDigest(text: string): string | undefined {
  return /^([0-9a-f]{64})(?:\s|$)/.exec(text.trim())?.[1]
}
