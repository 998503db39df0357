import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icons';

interface Properties {
  title: string;
  wide?: boolean;
  children: ComponentChildren;
  onClose?(): void; // none: it has to be answered
}

// A modal dialog of the browser: keeps the focus within, Escape closes.
export function Dialog({ title, wide, children, onClose }: Properties) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    element.current!.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? 'dialog is-wide' : 'dialog'}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onMouseDown={(event) => event.target === element.current && onClose?.()}
    >
      <header>
        <h2>{title}</h2>
        {onClose && (
          <button class="plain" onClick={onClose} aria-label="Close" title="Close (Esc)">
            <Icon name="close" />
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}
