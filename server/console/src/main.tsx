import { render } from 'preact';
import { App } from './app';
import './style.css';
import { currentTheme, showTheme } from './theme';

showTheme(currentTheme());
render(<App />, document.getElementById('console')!);
