/** Follows a session for as long as it is shown. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { Session } from "#protocol/session.ts";
import { useAccess } from "../access.ts";
import { isActiveStatus } from "../format/status.ts";
import { runQuery, sessionQuery } from "../queries.ts";
import { LiveSession } from "./live-session.ts";

export function useLiveSession({ id, last_seq: lastSeq, runs }: Session): LiveSession | null {
  const queries = useQueryClient();
  const [live, setLive] = useState<LiveSession | null>(null);
  const openedAt = useRef(lastSeq);
  useEffect(() => {
    const opened = new LiveSession(
      id,
      openedAt.current,
      (runId) => {
        void queries.invalidateQueries({ queryKey: runQuery(runId).queryKey });
        void queries.invalidateQueries({ queryKey: sessionQuery(id).queryKey });
      },
      () => void queries.invalidateQueries({ queryKey: sessionQuery(id).queryKey }),
    );
    opened.start();
    setLive(opened);
    return () => opened.stop();
  }, [id, queries]);
  const isActive = runs.some(({ status }) => isActiveStatus(status));
  const access = useAccess();
  useEffect(() => {
    if (access === "signed-in") live?.readAgain();
  }, [live, access]);
  useEffect(() => live?.learn(lastSeq, isActive), [live, lastSeq, isActive]);
  return live;
}
