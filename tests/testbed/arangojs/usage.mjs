// Copyright: the cutover.arangodb contributors
// GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// What applications and their administrators do with arangojs, unchanged, against one deployment.
// `node usage.mjs CONFIG` with {urls, password, clustered, version}; prints one line for each part: its name and "ok" or the error.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Database, aql } from "arangojs";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const system = new Database({ url: config.urls, auth: { username: "root", password: config.password } });
const modern = config.version.startsWith("3.12");
let db;

async function refused(promise, errorNum) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.errorNum ?? error.cause?.errorNum, errorNum, String(error));
    return true;
  });
}

async function databases() {
  assert.equal(await system.exists(), true);
  db = await system.createDatabase("js", { users: [{ username: "jane", passwd: "secret", active: true }] });
  assert.equal((await db.get()).name, "js");
  assert.ok((await system.listDatabases()).includes("js"));
  assert.ok((await system.listUserDatabases()).includes("js"));
  await refused(system.createDatabase("js"), 1207);
  const options = { sharding: "flexible", replicationFactor: 2, writeConcern: 2 };
  const flexible = await system.createDatabase("js2", options);
  const inherited = await (await flexible.createCollection("c")).properties();
  const one = await system.createDatabase("js3", { sharding: "single" });
  const single = await (await one.createCollection("c", config.clustered ? { numberOfShards: 4 } : {})).properties();
  await system.createDatabase("js4", { replicationFactor: "satellite" });
  if (config.clustered) {
    const shown = await flexible.get();
    assert.deepEqual([shown.sharding, shown.replicationFactor, shown.writeConcern], ["", 2, 2]);
    assert.deepEqual([inherited.replicationFactor, inherited.writeConcern], [2, 2]);
    assert.deepEqual([(await one.get()).sharding, single.numberOfShards], ["single", 1]);
    assert.equal((await system.database("js4").get()).replicationFactor, "satellite");
  }
  await refused(system.createDatabase("js5", { sharding: "double" }), 400);
  for (const name of ["js2", "js3", "js4"]) {
    assert.equal(await system.dropDatabase(name), true);
    assert.equal(await system.database(name).exists(), false);
  }
}

async function server() {
  assert.equal((await db.version()).version, config.version);
  assert.equal((await db.version(true)).details.role, config.clustered ? "COORDINATOR" : "SINGLE");
  assert.equal((await db.engine()).name, "rocksdb");
  assert.ok(Math.abs((await db.time()) - Date.now()) < 60000);
  assert.equal((await system.status()).serverInfo.readOnly, false);
  assert.equal(await system.availability(), "default");
  assert.ok(await system.getLicense());
  if (config.clustered) {
    await system.acquireHostList();
  }
}

async function collections() {
  const options = { waitForSync: false, keyOptions: { type: "autoincrement", increment: 5, offset: 10 } };
  const numbered = await db.createCollection("numbered", { ...options, numberOfShards: 1 });
  const keys = [await numbered.save({}), await numbered.save({})].map((entry) => Number(entry._key));
  assert.equal(keys[1] - keys[0], 5);
  const wide = { numberOfShards: 3, replicationFactor: 2, writeConcern: 1, shardKeys: ["region"] };
  const schema = { rule: { type: "object", properties: { n: { type: "number" } } }, level: "none", message: "no" };
  const computed = [{ name: "double", expression: "RETURN @doc.n * 2", overwrite: true, computeOn: ["insert"] }];
  const places = await db.createCollection("places", { ...(config.clustered ? wide : {}), schema, computedValues: computed });
  const shown = await places.properties();
  assert.equal(shown.schema.message, "no");
  assert.equal(shown.computedValues[0].name, "double");
  if (config.clustered) {
    assert.deepEqual(shown.shardKeys, ["region"]);
    assert.equal(shown.replicationFactor, 2);
    assert.match(await places.getResponsibleShard({ region: "eu" }), /^s\d+$/);
  }
  assert.equal((await places.properties({ waitForSync: true })).waitForSync, true);
  assert.equal((await places.get()).type, 2);
  assert.equal((await places.count()).count, 0);
  assert.equal(typeof (await places.checksum()).checksum, "string");
  assert.equal(typeof (await places.revision()).revision, "string");
  assert.ok((await places.figures(true)).figures.indexes);
  assert.equal(await places.loadIndexes(), true);
  assert.equal(await places.recalculateCount(), true);
  await places.compact();
  const names = (await db.listCollections()).map((entry) => entry.name);
  assert.deepEqual(names.sort(), ["numbered", "places"]);
  assert.ok((await db.listCollections(false)).some((entry) => entry.isSystem));
  await refused(db.createCollection("places"), 1207);
  await refused(db.createCollection("a/b"), 1208);
  if (!config.clustered) {
    await db.renameCollection("numbered", "counted");
    await db.renameCollection("counted", "numbered");
  }
  const gone = await db.createEdgeCollection("gone");
  assert.equal((await gone.get()).type, 3);
  await gone.truncate();
  await gone.drop();
  assert.equal(await gone.exists(), false);
}

async function placedCollections() {
  const cached = await db.createCollection("cached", { cacheEnabled: true, waitForSync: true, keyOptions: { type: "padded", allowUserKeys: false } });
  const properties = await cached.properties();
  assert.deepEqual([properties.cacheEnabled, properties.waitForSync, properties.keyOptions.type], [true, true, "padded"]);
  assert.equal((await cached.properties({ cacheEnabled: false })).cacheEnabled, false);
  await refused(cached.save({ _key: "mine" }), 1222);
  const layout = { numberOfShards: 3, replicationFactor: 2, shardingStrategy: "hash", waitForSyncReplication: true, enforceReplicationFactor: true };
  const leader = await db.createCollection("leader", config.clustered ? layout : {});
  const everywhere = await db.createCollection("everywhere", { replicationFactor: "satellite" });
  if (config.clustered) {
    const like = await db.createCollection("like", { distributeShardsLike: "leader" });
    assert.equal((await like.properties()).distributeShardsLike, "leader");
    assert.equal((await leader.properties()).shardingStrategy, "hash");
    const shards = async (collection) => Object.values((await collection.shards(true)).shards);
    assert.deepEqual(await shards(like), await shards(leader));
    await refused(leader.drop(), 1485);
    await refused(db.createCollection("lost", { distributeShardsLike: "nowhere" }), 1486);
    assert.equal((await everywhere.properties()).replicationFactor, "satellite");
    assert.equal((await shards(everywhere))[0].length, 3);
    assert.equal((await leader.properties({ replicationFactor: 3, writeConcern: 2 })).writeConcern, 2);
    assert.equal((await like.properties()).replicationFactor, 3);
    await like.drop();
  }
  for (const collection of [cached, leader, everywhere]) {
    await collection.drop();
  }
}

async function documents() {
  const docs = await db.createCollection("docs", config.clustered ? { numberOfShards: 2 } : {});
  const first = await docs.save({ _key: "a", n: 1, deep: { x: 1, y: 2 } }, { returnNew: true, waitForSync: true });
  assert.equal(first.new.deep.y, 2);
  await refused(docs.save({ _key: "a" }), 1210);
  assert.equal((await docs.save({ _key: "a", n: 2 }, { overwriteMode: "ignore" }))._rev, first._rev);
  const merged = await docs.save({ _key: "a", m: 3 }, { overwriteMode: "update", returnNew: true, returnOld: true });
  assert.deepEqual([merged.new.n, merged.new.m, merged.old.n], [1, 3, 1]);
  assert.equal(merged._oldRev, first._rev);
  const changed = await docs.update("a", { deep: { y: null } }, { keepNull: false, mergeObjects: true, returnNew: true });
  assert.deepEqual(changed.new.deep, { x: 1 });
  await refused(docs.replace("a", { z: 1 }, { ifMatch: first._rev }), 1200);
  await docs.replace("a", { z: 1 }, { ifMatch: changed._rev });
  assert.equal((await docs.document("a")).z, 1);
  assert.equal(await docs.documentExists("a"), true);
  assert.equal(await docs.documentExists("b"), false);
  assert.equal(await docs.document("b", { graceful: true }), null);
  await refused(docs.document("b"), 1202);
  const current = await docs.document("a");
  await assert.rejects(docs.document("a", { ifNoneMatch: current._rev }), (error) => error.code === 304 || /304|not modified/i.test(String(error)));
  assert.equal((await docs.remove("a", { returnOld: true })).old.z, 1);
  await refused(docs.remove("a"), 1202);
  assert.deepEqual(Object.keys(await docs.save({ _key: "s" }, { silent: true }) ?? {}), []);
}

async function documentOptions() {
  const docs = db.collection("docs");
  const first = await docs.save({ _key: "o", n: 1, deep: { x: 1 }, gone: 0 }, { overwriteMode: "conflict", refillIndexCaches: true });
  await refused(docs.save({ _key: "o" }, { overwriteMode: "conflict" }), 1210);
  const patch = { _key: "o", deep: { y: 2 }, gone: null };
  const merged = await docs.save(patch, { overwriteMode: "update", keepNull: false, mergeObjects: false, returnNew: true });
  assert.deepEqual([merged.new.n, merged.new.deep, "gone" in merged.new], [1, { y: 2 }, false]);
  const replaced = await docs.save({ _key: "o", v: 5 }, { overwriteMode: "replace", returnOld: true, refillIndexCaches: false });
  assert.deepEqual([replaced._oldRev, replaced.old.n], [merged._rev, 1]);
  assert.notEqual(first._rev, merged._rev);
  const many = await docs.saveAll([{ _key: "o" }, { _key: "p", v: 5 }], { overwriteMode: "conflict" });
  assert.deepEqual(many.map((entry) => entry.errorNum ?? 0), [1210, 0]);
  const older = { versionAttribute: "v", refillIndexCaches: true };
  const left = modern ? 5 : 3;
  await docs.save({ _key: "o", v: 3 }, { overwriteMode: "replace", ...older });
  await docs.update("p", { v: 3 }, older);
  assert.deepEqual([(await docs.document("o")).v, (await docs.document("p")).v], [left, left]);
  await docs.replaceAll([{ _key: "o", v: 4 }, { _key: "p", v: 9 }], older);
  assert.deepEqual([(await docs.document("o")).v, (await docs.document("p")).v], [modern ? 5 : 4, 9]);
  assert.equal((await docs.document("p", { allowDirtyRead: true })).v, 9);
  const current = await docs.document("p");
  await refused(docs.remove("p", { ifMatch: first._rev }), 1200);
  await docs.remove("p", { ifMatch: current._rev, refillIndexCaches: true, waitForSync: true });
  assert.equal(await docs.documentExists("o", { ifMatch: (await docs.document("o"))._rev }), true);
  assert.deepEqual((await docs.removeAll(["o", "none"], { returnOld: true, refillIndexCaches: true })).map((entry) => entry.errorNum ?? 0), [0, 1202]);
}

async function bulk() {
  const docs = db.collection("docs");
  await docs.truncate();
  const made = await docs.saveAll(Array.from({ length: 100 }, (_value, n) => ({ _key: `k${n}`, n, even: n % 2 === 0 })));
  assert.deepEqual(made.map((entry) => entry._key), Array.from({ length: 100 }, (_value, n) => `k${n}`));
  const mixed = await docs.saveAll([{ _key: "k1" }, { _key: "bad key" }, { _key: "new" }], { returnNew: true });
  assert.deepEqual(mixed.map((entry) => entry.errorNum ?? 0), [1210, 1221, 0]);
  const updated = await docs.updateAll([{ _key: "k1", u: 1 }, { _key: "none", u: 1 }], { returnOld: true });
  assert.deepEqual(updated.map((entry) => entry.errorNum ?? 0), [0, 1202]);
  const replaced = await docs.replaceAll([{ _key: "k2", r: 1 }, { _key: "k3", _rev: "_aaaaaaaaaa", r: 1 }], { ignoreRevs: false });
  assert.deepEqual(replaced.map((entry) => entry.errorNum ?? 0), [0, 1200]);
  const read = await docs.documents(["k1", "none", "k2"]);
  assert.deepEqual(read.map((entry) => entry.errorNum ?? 0), [0, 1202, 0]);
  assert.equal((await docs.removeAll(["k1", { _key: "k2" }, "none"])).filter((entry) => entry.error).length, 1);
  assert.equal((await docs.count()).count, 99);
}

async function importing() {
  const docs = db.collection("docs");
  const made = await docs.import([{ _key: "i1", a: 1 }, { _key: "i1", a: 2 }, { _key: "i2" }], { details: true });
  assert.deepEqual([made.created, made.errors], [2, 1]);
  assert.equal((await docs.import([["_key", "v"], ["i3", 1], ["i4", 2]])).created, 2);
  assert.equal((await docs.import('{"_key":"i1","b":1}\n{"_key":"i5"}', { type: "documents", onDuplicate: "update" })).updated, 1);
  assert.equal((await docs.import('[{"_key":"i1"}]', { type: "array", onDuplicate: "ignore" })).ignored, 1);
  await refused(docs.import([{ _key: "i1" }], { complete: true }), 1210);
  assert.equal((await docs.import([{ _key: "o" }], { overwrite: true })).created, 1);
  assert.equal((await docs.count()).count, 1);
}

async function indexes() {
  const docs = await db.createCollection("indexed");
  const unique = await docs.ensureIndex({ type: "persistent", fields: ["a", "b"], unique: true, sparse: true, name: "ab" });
  assert.equal(unique.isNewlyCreated, true);
  assert.equal((await docs.ensureIndex({ type: "persistent", fields: ["a", "b"], unique: true, sparse: true })).isNewlyCreated, false);
  await docs.ensureIndex({ type: "ttl", fields: ["at"], expireAfter: 3600 });
  await docs.ensureIndex({ type: "geo", fields: ["place"], geoJson: true });
  await docs.ensureIndex({ type: "inverted", name: "words", fields: [{ name: "text", analyzer: "text_en" }, "other"] });
  await docs.ensureIndex({ type: "persistent", fields: ["tags[*]"], inBackground: true, estimates: false, cacheEnabled: true });
  if (modern) {
    await docs.ensureIndex({ type: "mdi", fields: ["x", "y"], fieldValueTypes: "double" });
    await docs.ensureIndex({ type: "mdi-prefixed", fields: ["x", "y"], prefixFields: ["z"], fieldValueTypes: "double" });
  }
  assert.equal((await docs.indexes()).length, modern ? 8 : 6);
  assert.equal((await docs.index("ab")).unique, true);
  await docs.save({ a: 1, b: 2 });
  await refused(docs.save({ a: 1, b: 2 }), 1210);
  assert.equal((await docs.dropIndex("ab")).id, unique.id);
  await refused(docs.index("ab"), 1212);
  await refused(docs.ensureIndex({ type: "ttl", fields: ["x", "y"], expireAfter: 1 }), 10);
}

async function queries() {
  const docs = await db.createCollection("asked", config.clustered ? { numberOfShards: 3 } : {});
  await docs.saveAll(Array.from({ length: 500 }, (_value, n) => ({ _key: String(n), n, group: n % 5 })));
  const least = 490;
  const cursor = await db.query(aql`FOR d IN ${docs} FILTER d.n >= ${least} SORT d.n DESC RETURN d.n`);
  assert.deepEqual(await cursor.all(), [499, 498, 497, 496, 495, 494, 493, 492, 491, 490]);
  const counted = await db.query("FOR d IN asked LIMIT 100 RETURN d", {}, { count: true, batchSize: 30, fullCount: true, ttl: 60 });
  assert.equal(counted.count, 100);
  assert.equal(counted.extra.stats.fullCount, 500);
  assert.equal((await counted.map((entry) => entry.n)).length, 100);
  const streamed = await db.query("FOR d IN asked RETURN d.n", {}, { stream: true, batchSize: 100, allowRetry: true });
  let seen = 0;
  for await (const batch of streamed.batches) {
    seen += batch.length;
  }
  assert.equal(seen, 500);
  const killed = await db.query("FOR d IN asked RETURN d", {}, { batchSize: 10 });
  await killed.kill();
  const groups = await db.query("FOR d IN asked COLLECT g = d.group AGGREGATE most = MAX(d.n), total = SUM(1) RETURN {g, most, total}");
  assert.deepEqual((await groups.all())[4], { g: 4, most: 499, total: 100 });
  const upsert = "UPSERT {_key: @key} INSERT {_key: @key, n: 0} UPDATE {n: OLD.n + 1} IN asked RETURN NEW.n";
  assert.deepEqual(await (await db.query(upsert, { key: "fresh" })).all(), [0]);
  assert.deepEqual(await (await db.query(upsert, { key: "fresh" })).all(), [1]);
  await refused(db.query("FOR d IN asked RETRUN d"), 1501);
  await refused(db.query("FOR d IN asked FILTER d.n == @n RETURN d"), 1551);
  await refused(db.query("FOR d IN nowhere RETURN d"), 1203);
  assert.deepEqual((await db.parse("FOR d IN asked FILTER d.n == @x RETURN d")).bindVars, ["x"]);
  assert.ok((await db.explain("FOR d IN asked RETURN d")).plan.nodes.length >= 2);
  assert.ok((await db.queryRules()).length >= 1);
  assert.equal((await db.queryTracking()).enabled, true);
  assert.deepEqual(await db.listRunningQueries(), []);
  await db.clearSlowQueries();
}

async function transactions() {
  const docs = await db.createCollection("money");
  const work = await db.beginTransaction({ write: ["money"], read: ["asked"] });
  await work.step(() => docs.save({ _key: "1", sum: 5 }));
  await work.step(() => docs.update("1", { sum: 6 }));
  assert.deepEqual(await (await work.step(() => db.query("FOR d IN money RETURN d.sum"))).all(), [6]);
  assert.equal((await docs.count()).count, 0);
  assert.equal(await work.exists(), true);
  assert.equal((await work.commit()).status, "committed");
  assert.equal((await docs.document("1")).sum, 6);
  const undone = await db.beginTransaction("money");
  await undone.step(() => docs.remove("1"));
  assert.equal((await undone.get()).status, "running");
  assert.equal((await undone.abort()).status, "aborted");
  assert.equal(await docs.documentExists("1"), true);
  await refused(db.beginTransaction({ write: ["nowhere"] }), 1203);
  await db.withTransaction({ exclusive: [docs] }, async (step) => {
    await step(() => docs.save({ _key: "2" }));
  });
  assert.equal(await docs.documentExists("2"), true);
}

async function graphs() {
  const graph = await db.createGraph("school", [{ collection: "teach", from: ["teachers"], to: ["lectures"] }], {
    orphanCollections: ["rooms"],
  });
  assert.equal(await graph.exists(), true);
  const teachers = graph.vertexCollection("teachers");
  const lectures = graph.vertexCollection("lectures");
  const teach = graph.edgeCollection("teach");
  await teachers.save({ _key: "jon", age: 40 }, { returnNew: true });
  await lectures.save({ _key: "x" });
  assert.equal((await teachers.update("jon", { age: 41 }, { returnNew: true })).new.age, 41);
  assert.equal((await teachers.vertex("jon")).age, 41);
  const edge = await teach.save({ _from: "teachers/jon", _to: "lectures/x", online: false });
  await teach.update(edge._key, { online: true });
  assert.equal((await teach.edge(edge._key)).online, true);
  await refused(teach.save({ _from: "docs/1", _to: "lectures/x" }), 1947);
  assert.equal((await teach.collection.outEdges("teachers/jon")).edges.length, 1);
  assert.deepEqual((await graph.listVertexCollections()).sort(), ["lectures", "rooms", "teachers"]);
  assert.deepEqual(await graph.listEdgeCollections(), ["teach"]);
  await graph.addVertexCollection("extra");
  await graph.removeVertexCollection("extra", true);
  await graph.addEdgeDefinition({ collection: "visit", from: ["teachers"], to: ["rooms"] });
  await graph.replaceEdgeDefinition("visit", { collection: "visit", from: ["teachers"], to: ["rooms", "lectures"] });
  await graph.removeEdgeDefinition("visit", true);
  await teachers.remove("jon");
  assert.equal((await teach.collection.count()).count, 0);
  assert.ok((await db.listGraphs()).some((entry) => entry.name === "school"));
  assert.equal(await graph.drop(true), true);
  assert.equal(await db.collection("rooms").exists(), false);
}

async function viewsAndAnalyzers() {
  const stemmer = { locale: "en", case: "lower", stopwords: [], accent: false, stemming: true };
  const analyzer = await db.createAnalyzer("words", { type: "text", properties: stemmer, features: ["frequency", "norm"] });
  assert.equal((await analyzer.get()).name, "js::words");
  assert.ok((await db.listAnalyzers()).some((entry) => entry.name === "text_en"));
  await db.createCollection("texts");
  const view = await db.createView("search", { type: "arangosearch", links: { texts: { includeAllFields: true } } });
  assert.deepEqual(Object.keys((await view.properties()).links), ["texts"]);
  assert.equal((await view.updateProperties({ cleanupIntervalStep: 9 })).cleanupIntervalStep, 9);
  assert.deepEqual((await view.replaceProperties({ links: {} })).links, {});
  await db.collection("texts").ensureIndex({ type: "inverted", name: "inv", fields: ["body"] });
  const alias = await db.createView("alias", { type: "search-alias", indexes: [{ collection: "texts", index: "inv" }] });
  assert.equal((await alias.properties()).indexes[0].index, "inv");
  assert.deepEqual((await db.listViews()).map((entry) => entry.name), ["alias", "search"]);
  if (!config.clustered) {
    assert.equal((await view.rename("found")).name, "found");
  }
  assert.equal(await view.drop(), true);
  assert.equal(await alias.drop(), true);
  assert.equal(await view.exists(), false);
  await analyzer.drop();
  assert.equal(await analyzer.exists(), false);
}

async function users() {
  await system.createUser("bob", { passwd: "one", active: true, extra: { team: "x" } });
  assert.deepEqual((await system.getUser("bob")).extra, { team: "x" });
  await system.updateUser("bob", { passwd: "two" });
  assert.ok((await system.listUsers()).some((entry) => entry.user === "bob"));
  await system.setUserAccessLevel("bob", { database: "js" }, "ro");
  await system.setUserAccessLevel("bob", { database: "js", collection: "docs" }, "rw");
  assert.equal(await system.getUserAccessLevel("bob", { database: "js" }), "ro");
  assert.equal(await system.getUserAccessLevel("bob", { database: "js", collection: "docs" }), "rw");
  assert.equal((await system.getUserDatabases("bob", true)).js.permission, "ro");
  const bob = new Database({ url: config.urls, databaseName: "js", auth: { username: "bob", password: "two" } });
  await bob.collection("docs").save({ by: "bob" });
  await refused(bob.collection("money").save({ by: "bob" }), 1004);
  await bob.login("bob", "two");
  assert.equal(typeof (await bob.collection("docs").count()).count, "number");
  await refused(bob.createCollection("his"), 11);
  await system.clearUserAccessLevel("bob", { database: "js", collection: "docs" });
  await system.replaceUser("bob", { passwd: "three", active: false });
  await assert.rejects(bob.login("bob", "three"));
  await system.removeUser("bob");
  await refused(system.getUser("bob"), 1703);
}

async function jobs() {
  const job = await db.createJob(() => db.query("RETURN SLEEP(0.2)"));
  assert.equal(job.isLoaded, false);
  assert.ok((await db.listPendingJobs()).includes(job.id));
  while (!job.isLoaded) {
    await job.load();
    await sleep(20);
  }
  assert.deepEqual(await job.result.all(), [null]);
  const other = await db.createJob(() => db.version());
  await sleep(50);
  assert.ok((await db.listCompletedJobs()).includes(other.id));
  await other.deleteResult();
  const endless = await db.createJob(() => db.query("RETURN SLEEP(60)"));
  await endless.cancel();
  await sleep(500);
  await db.deleteAllJobResults();
}

async function functions() {
  const name = "test::plus";
  assert.equal((await db.createUserFunction(name, "function (a) { return a + 1; }", true)).isNewlyCreated, true);
  assert.deepEqual((await db.listUserFunctions()).map((entry) => entry.name), [name]);
  assert.equal((await db.dropUserFunction(name)).deletedCount, 1);
}

const parts = [databases, server, collections, placedCollections, documents, documentOptions, bulk, importing, indexes, queries, transactions, graphs];
for (const part of [...parts, viewsAndAnalyzers, users, jobs, functions]) {
  try {
    await part();
    console.log(`${part.name}: ok`);
  } catch (error) {
    console.log(`${part.name}: ${error.stack} ${JSON.stringify(error.response?.parsedBody ?? error.cause?.message ?? null)}`.replaceAll("\n", " | "));
  }
}
