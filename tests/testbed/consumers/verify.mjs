// Checks tokens as a Node service would: with jose.
//
//     node --experimental-global-webcrypto verify.mjs NODE_FOLDER < cases.json > verdicts.json
//
// Cases and verdicts as in verify.py; a case may also have "typ" and further "claims" that it wants. The flag is for Node 18 alone; newer ones have the Web Crypto API without it.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The library is in the folder that install.sh filled, not beside this file.
const jose = createRequire(join(process.argv[2], 'package.json')).resolve('jose');
const { createRemoteJWKSet, jwtVerify } = await import(pathToFileURL(jose));

async function check({ token, jwks, algorithm, issuer, audience, typ, claims = [] }) {
    const keys = createRemoteJWKSet(new URL(jwks));
    const requiredClaims = ['exp', 'iat', 'nbf', 'sub', ...claims];
    const rules = { issuer, audience, typ, algorithms: [algorithm], requiredClaims };
    return (await jwtVerify(token, keys, rules)).payload;
}

async function verdict(one) {
    const end = Date.now() + 10_000;
    for (;;) {
        let accepted;
        try {
            accepted = { claims: await check(one) };
        } catch (error) {
            return { refused: error.code ?? error.name };
        }
        if (!one.until_refused || Date.now() > end) return accepted;
    }
}

const verdicts = {};
for (const one of JSON.parse(readFileSync(0, 'utf8'))) verdicts[one.name] = await verdict(one);
process.stdout.write(JSON.stringify(verdicts));
