/** The form of a routine: what everybody needs first, the rest in parts that are closed and say what is set. */
import { BasicsPart, type PartProps } from "./basics-part.tsx";
import { EnvironmentSection, LimitsSection, OtherSection, OverlapSection, ToolsSection } from "./closed-parts.tsx";
import { ConnectorsSection } from "./connectors-section.tsx";
import styles from "./editor.module.css";
import { GateSection } from "./gate-section.tsx";
import { RepositoriesPart } from "./repositories-part.tsx";
import { SessionSection } from "./session-section.tsx";
import { ContextSection, NotifySection } from "./told-sections.tsx";
import { TriggersPart } from "./triggers/triggers-part.tsx";

export function Form(props: PartProps) {
  const { draft, set } = props;
  return (
    <div className={styles.form}>
      <BasicsPart {...props} />
      <RepositoriesPart {...props} />
      <TriggersPart triggers={draft.triggers} onChange={(triggers) => set({ triggers })} />
      <div className={styles.sections}>
        <EnvironmentSection {...props} />
        <OverlapSection {...props} />
        <SessionSection {...props} />
        <LimitsSection {...props} />
        <ConnectorsSection {...props} />
        <GateSection {...props} />
        <ToolsSection {...props} />
        <NotifySection {...props} />
        <ContextSection {...props} />
        <OtherSection {...props} />
      </div>
    </div>
  );
}
