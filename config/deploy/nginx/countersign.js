// Checks Countersign's tokens inside nginx: signature, issuer, audience, times. For njs 0.7.9 (Debian 12) and newer.
// Algorithms: RS256 RS384 RS512 PS256 ES256 ES384. njs's WebCrypto has no Ed25519, so EdDSA is refused.
// How to use it: countersign.conf beside this file.

const ALGORITHMS = {
    RS256: { kty: 'RSA', name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    RS384: { kty: 'RSA', name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
    RS512: { kty: 'RSA', name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
    PS256: { kty: 'RSA', name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
    ES256: { kty: 'EC', name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' },
    ES384: { kty: 'EC', name: 'ECDSA', hash: 'SHA-384', namedCurve: 'P-384' },
};

// SubjectPublicKeyInfo up to the point's coordinates (RFC 5480): njs reads a JWK itself only from 0.7.10 on.
const EC_PREFIX = {
    'P-256': '3059301306072a8648ce3d020106082a8648ce3d03010703420004',
    'P-384': '3076301006072a8648ce3d020106052b8104002203620004',
};
const RSA_ENCRYPTION = Buffer.from('300d06092a864886f70d0101010500', 'hex');

// 204 and the subject in X-Token-Subject; 401 with the reason in the log; 500 when it cannot be known.
async function verify(r) {
    let keys;
    try {
        keys = await published(r);
    } catch (e) {
        ngx.log(ngx.ERR, `countersign: ${e.message}`);
        r.return(500);
        return;
    }
    try {
        const claims = await checked(r, keys);
        r.headersOut['X-Token-Subject'] = claims.sub;
        r.return(204);
    } catch (e) {
        ngx.log(ngx.WARN, `countersign: token refused: ${e.message}`);
        r.headersOut['WWW-Authenticate'] = 'Bearer error="invalid_token"';
        r.return(401);
    }
}

async function published(r) {
    ['countersign_issuer', 'countersign_audience'].forEach(name => {
        if (!r.variables[name]) throw Error(`set $${name}`);
    });
    const answer = await r.subrequest('/_countersign/jwks');
    if (answer.status !== 200) throw Error(`the JWKS answered ${answer.status}`);
    const keys = JSON.parse(answer.responseText).keys;
    if (!Array.isArray(keys)) throw Error('what should be the JWKS has no keys');
    return keys;
}

async function checked(r, keys) {
    const bearer = /^bearer +(([\w-]+)\.([\w-]+)\.([\w-]+))$/i.exec(r.headersIn.Authorization || '');
    if (!bearer) throw Error('no bearer token');
    const token = bearer[1].split('.');
    const header = part(token[0]);
    const algorithm = Object.keys(ALGORITHMS).includes(header.alg) && ALGORITHMS[header.alg];
    if (!algorithm) throw Error(`algorithm ${header.alg}`);
    if (header.crit !== undefined) throw Error('critical extensions');
    const key = keys.find(key => typeof header.kid === 'string' && key.kid === header.kid);
    if (!key) throw Error('no published key has its kid');
    if (key.alg !== header.alg || key.kty !== algorithm.kty) throw Error('its key is for another algorithm');

    const imported = await crypto.subtle.importKey('spki', publicKey(key), algorithm, false, ['verify']);
    const signature = Buffer.from(token[2], 'base64url');
    if (!await crypto.subtle.verify(algorithm, imported, signature, Buffer.from(`${token[0]}.${token[1]}`))) {
        throw Error('signature');
    }
    return claimed(r, part(token[1]));
}

// All of these are in every token of Countersign; one that is missing or of another type is refused.
function claimed(r, claims) {
    const now = Date.now() / 1000;
    const leeway = Number(r.variables.countersign_leeway || 0);
    const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
    if (claims.iss !== r.variables.countersign_issuer) throw Error(`issuer ${claims.iss}`);
    if (!audiences.includes(r.variables.countersign_audience)) throw Error(`audience ${claims.aud}`);
    if (!(claims.exp > now - leeway)) throw Error(`expired at ${claims.exp}`);
    if (!(claims.nbf <= now + leeway)) throw Error(`not valid before ${claims.nbf}`);
    if (typeof claims.sub !== 'string') throw Error('no subject');
    return claims;
}

function part(text) {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
}

function publicKey(key) {
    if (key.kty === 'EC') {
        const point = [key.x, key.y].map(coordinate => Buffer.from(coordinate, 'base64url'));
        return Buffer.concat([Buffer.from(EC_PREFIX[key.crv], 'hex')].concat(point));
    }
    const numbers = [key.n, key.e].map(number => der(2, [Buffer.from([0]), Buffer.from(number, 'base64url')]));
    return der(0x30, [RSA_ENCRYPTION, der(3, [Buffer.from([0]), der(0x30, numbers)])]);
}

// One DER value: tag, length, content (X.690 section 8.1).
function der(tag, parts) {
    const content = Buffer.concat(parts);
    const size = content.length;
    const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
    return Buffer.concat([Buffer.from([tag].concat(length)), content]);
}

export default { verify };
